"""Trains one stage of a Whyfirst experiment with transformers, PEFT and FSDP; started by torchrun.

FOLDER is what `whyfirst` prepared: `job/` with the packed rows of every step, learning rates, and a LoRA adapter to
start from. Nothing is decided here, all of it is read. Checkpoints and `result/` go there too. Progress is one line of
JSON for each event on standard output. `touch FOLDER/stop` saves a checkpoint and stops.
"""

import argparse, fcntl, json, math, os, re, resource, shutil, signal, sys, threading, time, traceback, zlib
from pathlib import Path

import peft
import torch
import torch.distributed as dist
import transformers
from accelerate import init_empty_weights
from safetensors.torch import safe_open, save_file
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import distribute_tensor
from torch.nn.functional import cross_entropy, pad
from torch.utils.checkpoint import checkpoint as recomputed

IGNORED = -100  # marks a position that predicts nothing
HEAD_ROWS = 1024  # logits exist for so many targets at a time
FILE_BYTES = 4 << 30  # of one file of the resulting weights, about


class Stop(Exception):
    """A reason to stop that a person can act on."""

    def __init__(self, kind, message, **more):
        super().__init__(message)
        self.event = {"kind": kind, "message": message, **more}


def emit(event, **more):
    os.write(1, (json.dumps({"event": event, **more}) + "\n").encode())  # in one piece, whoever else writes


# Folders that are whole or not there: DONE is written last, then the folder gets its name.


def checksum(path):
    crc = 0
    with open(path, "rb") as file:
        while piece := file.read(1 << 24):
            crc = zlib.crc32(piece, crc)
    return crc


def check(path, crc32, size=None):
    if not path.is_file() or size not in (None, path.stat().st_size) or checksum(path) != crc32:
        raise Stop("damaged", f"{path} is missing or damaged; remove {path.parent} and run again")


def sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def is_complete(folder):
    if not (folder / "DONE").is_file():
        return False
    for name, file in json.loads((folder / "DONE").read_text())["files"].items():
        check(folder / name, file["crc32"], file["bytes"])
    return True


def fresh(partial):
    """An empty folder to fill; every process may write to it when this returns."""
    if dist.get_rank() == 0:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    dist.barrier()
    return partial


def publish(partial, folder):
    dist.barrier()
    if dist.get_rank() == 0:
        files = {p.name: {"bytes": p.stat().st_size, "crc32": checksum(p)} for p in sorted(partial.iterdir())}
        (partial / "DONE").write_text(json.dumps({"files": files}, indent=2) + "\n")
        for path in [*partial.iterdir(), partial]:
            sync(path)
        shutil.rmtree(folder, ignore_errors=True)  # only what is not complete can have that name
        os.rename(partial, folder)
        sync(folder.parent)
    dist.barrier()


# What is trained on.


class Rows:
    """The packed rows of every step, in shards of whole steps."""

    def __init__(self, folder, job):
        self.folder, self.count, self.shards, self.path = folder, job["rows"], job["shards"], None

    def step(self, step):
        """The rows of a step: (ids, targets, positions, segments, weight) each."""
        shard = next(s for s in self.shards if s["first_step"] <= step < s["first_step"] + s["steps"])
        path = self.folder / shard["file"]
        if self.path != path:
            check(path, shard["crc32"])
            self.path, self.file = path, safe_open(path, "pt")
        first = (step - shard["first_step"]) * self.count
        starts = self.file.get_slice("row_starts")[first : first + self.count + 1].tolist()
        weights = self.file.get_slice("row_weights")[first : first + self.count].tolist()
        columns = []
        for name in ("input_ids", "targets", "positions", "segments"):
            values = self.file.get_slice(name)[starts[0] : starts[-1]].long()
            columns.append(values.split([b - a for a, b in zip(starts, starts[1:])]))
        return list(zip(*columns, weights))


def passes(rows, rank, processes, at_once):
    """One process's rows of a step, a few at a time; as many passes as the others make, if need be without rows."""
    count, mine = math.ceil(math.ceil(len(rows) / processes) / at_once), rows[rank::processes]
    return [mine[i * at_once : (i + 1) * at_once] for i in range(count)]


def batch(rows, device):
    """Rows side by side. A token sees the earlier ones of its own document; padding sees padding."""
    nothing = torch.zeros(1, dtype=torch.long)
    rows = rows or [(nothing, nothing + IGNORED, nothing, nothing, 0.0)]
    length = max(len(row[0]) for row in rows)

    def stack(i, fill):
        return torch.stack([pad(row[i], (0, length - len(row[i])), value=fill) for row in rows]).to(device)

    segments = stack(3, -1)
    same = segments[:, None, :, None] == segments[:, None, None, :]
    mask = same & torch.ones(length, length, dtype=torch.bool, device=device).tril()
    weights = torch.tensor([row[4] for row in rows], device=device)[:, None].expand(-1, length)
    return stack(0, 0), stack(2, 0), mask, stack(1, IGNORED), weights


# The model.


class WeightedLoss(torch.nn.Module):
    """The sum over targets of loss times the row's weight. Logits are made in pieces and never kept."""

    def __init__(self, lm):
        super().__init__()
        self.lm = lm

    def forward(self, ids, positions, mask, targets, weights):
        lm = self.lm.get_base_model() if isinstance(self.lm, peft.PeftModel) else self.lm
        outputs = lm.model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False)
        wanted = targets != IGNORED

        def piece(hidden, targets, weights):
            return (cross_entropy(lm.lm_head(hidden).float(), targets, reduction="none") * weights).sum()

        pieces = (x[wanted].split(HEAD_ROWS) for x in (outputs.last_hidden_state, targets, weights))
        return sum(recomputed(piece, *p, use_reentrant=False) for p in zip(*pieces))


class Stored:
    """Tensors of a folder by name, mapped from safetensors files; nothing else is ever opened."""

    def __init__(self, folder, single):
        index, self.folder, self.open = folder / f"{single}.index.json", folder, {}
        if index.is_file():
            self.files = json.loads(index.read_text())["weight_map"]
        else:
            with safe_open(folder / single, "pt") as file:
                self.files = dict.fromkeys(file.keys(), single)

    def get(self, name):
        file = self.files.get(name)
        if file is None or Path(file).name != file or not file.endswith(".safetensors"):
            raise Stop("model", f"{self.folder} has no tensor `{name}` in a safetensors file of its own")
        if file not in self.open:
            self.open[file] = safe_open(self.folder / file, "pt")
        return self.open[file].get_tensor(name)


def build(job, args, mesh, device):
    """The sharded model with its first weights; no process holds more than its share of them."""
    lora, dtype = job["method"] == "lora", torch.bfloat16 if job["dtype"] == "bf16" else torch.float32
    config = transformers.AutoConfig.from_pretrained(args.model, trust_remote_code=False)
    config.attention_dropout = 0.0
    with init_empty_weights(include_buffers=False):
        lm = core = transformers.AutoModelForCausalLM.from_config(
            config, dtype=dtype if lora else torch.float32, attn_implementation="sdpa", trust_remote_code=False
        )
    folder = args.folder / "job/adapter"
    if lora:
        shape = peft.PeftConfig.from_pretrained(folder)
        shape.inference_mode = False
        lm = peft.get_peft_model(core, shape, low_cpu_mem_usage=True)
    if args.gradient_checkpointing:
        core.gradient_checkpointing_enable({"use_reentrant": False})
    model = WeightedLoss(lm).train()
    options = {"mesh": mesh, "mp_policy": MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)}
    for layer in core.model.layers:
        fully_shard(layer, reshard_after_forward=args.sharding != "gradients", **options)
    fully_shard(model, **options)
    for module in model.modules():
        module._buffers.update({name: b if b is None else b.to(device) for name, b in module._buffers.items()})
        if isinstance(module, FSDPModule):  # gradients are summed: the rows' weights make them a mean
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)

    base, adapter, state = Stored(Path(args.model), "model.safetensors"), None, {}
    tied = "lm_head.weight" if config.tie_word_embeddings else None
    for name, empty in model.state_dict().items():
        plain = re.sub(r"^lm\.(base_model\.model\.)?", "", name).replace(".base_layer.", ".")
        if plain == tied:
            plain = "model.embed_tokens.weight"
        if ".lora_" in name:
            adapter = adapter or Stored(folder, "adapter_model.safetensors")
            full = adapter.get(name.removeprefix("lm.").replace(".default.", "."))
        else:
            full = base.get(plain)
        if full.shape != empty.shape:
            raise Stop("model", f"`{plain}` has shape {[*full.shape]}, but config.json says {[*empty.shape]}")
        share = spread(full.to(empty.dtype), empty, device)
        state[name] = torch.nn.Parameter(share, requires_grad=not lora or ".lora_" in name)
    if tied:  # one and the same parameter, as it was before
        head = next(name for name in state if name.endswith(tied))
        state[head] = state[head.replace(tied, "model.embed_tokens.weight")]
    model.load_state_dict(state, assign=True)
    return model


def spread(full, like, device):
    """This process's share of a tensor that every process can read."""
    return distribute_tensor(full.to(device), like.device_mesh, like.placements, src_data_rank=None)


def trained(model):
    return [(name, p) for name, p in model.named_parameters() if p.requires_grad]


# Checkpoints and results.


def save_checkpoint(folder, job, model, optimizer, metrics, mesh):
    """Every process writes its shards; put together they are whole tensors, so any number of processes can go on."""
    step, partial = len(metrics), fresh(folder / ".checkpoint.partial")
    final, place = folder / f"checkpoint-{step:08}", mesh.get_coordinate()
    if mesh.ndim == 1 or place[0] == 0:  # replicas hold the same again
        shards = {}
        for name, p in trained(model):
            moments = optimizer.state[p]
            for kind, tensor in (("p", p), ("m", moments["exp_avg"]), ("v", moments["exp_avg_sq"])):
                shards[f"{kind}.{name}"] = tensor.detach().to_local().cpu().contiguous()
        save_file(shards, partial / f"shard-{place[-1]:05}.safetensors")
    if dist.get_rank() == 0:
        (partial / "state.json").write_text(json.dumps({"job": job["id"], "step": step, "metrics": metrics}))
    publish(partial, final)
    if dist.get_rank() == 0:
        for old in set(folder.glob("checkpoint-*")) - {final}:
            shutil.rmtree(old)
        emit("checkpoint", step=step)


def load_checkpoint(folder, job, model, optimizer, device):
    """Restores the newest checkpoint, if there is one; returns the metrics of the steps done."""
    found = sorted((p for p in folder.glob("checkpoint-*") if (p / "DONE").is_file()), key=lambda p: p.name)
    if not found or not is_complete(found[-1]):
        return []
    state = json.loads((found[-1] / "state.json").read_text())
    if state["job"] != job["id"]:
        raise Stop("other_job", f"{found[-1]} was written for other data, another recipe or another base; remove it")
    files = [safe_open(path, "pt") for path in sorted(found[-1].glob("shard-*.safetensors"))]
    for name, p in trained(model):
        whole = (torch.cat([file.get_tensor(f"{kind}.{name}") for file in files]) for kind in "pmv")
        weights, m, v = (spread(tensor, p, device) for tensor in whole)
        with torch.no_grad():
            p.copy_(weights)
        optimizer.state[p] = {"step": torch.tensor(float(state["step"])), "exp_avg": m, "exp_avg_sq": v}
    return state["metrics"]


def save_result(folder, job, model, about):
    """A folder as PEFT writes it, or weights under their Hugging Face names in one file or several; f32."""
    lora, partial = job["method"] == "lora", fresh(folder / ".result.partial")
    single, groups, size = "adapter_model" if lora else "model", [[]], 0
    for name, p in trained(model):
        if size > FILE_BYTES and not lora:
            groups, size = [*groups, []], 0
        groups[-1].append((name.removeprefix("lm.").replace(".default.", "."), p))
        size += 4 * p.numel()
    places = {}
    for i, group in enumerate(groups):
        file = f"{single}-{i + 1:05}-of-{len(groups):05}.safetensors" if len(groups) > 1 else f"{single}.safetensors"
        tensors = {}
        for name, p in group:
            whole = p.detach().full_tensor()
            if dist.get_rank() == 0:
                tensors[name], places[name] = whole.float().cpu().contiguous(), file
        if dist.get_rank() == 0:
            save_file(tensors, partial / file, {"format": "pt"})
    if dist.get_rank() == 0:
        if len(groups) > 1:
            index = {"metadata": {}, "weight_map": places}
            (partial / f"{single}.safetensors.index.json").write_text(json.dumps(index, indent=2))
        if lora:
            shutil.copyfile(folder / "job/adapter/adapter_config.json", partial / "adapter_config.json")
        (partial / "about.json").write_text(json.dumps(about, indent=2))
    publish(partial, folder / "result")


# Training.


class Guard:
    """Stops a run whose loss is not a number, or rises far above what it had been."""

    def __init__(self, rule):
        self.rule, self.recent, self.best = rule, [], math.inf

    def watch(self, step, loss, grad_norm, rate):
        for what, value in (("loss", loss), ("gradient norm", grad_norm)):
            if not math.isfinite(value):
                raise Stop("not_a_number", f"step {step}: the {what} is no number", step=step, what=what, rate=rate)
        self.recent = [*self.recent, loss][-self.rule["window"] :]
        if len(self.recent) == self.rule["window"]:
            now = sum(self.recent) / len(self.recent)
            if now > self.best * self.rule["factor"] + self.rule["margin"]:
                raise Stop("diverged", f"step {step}: the loss diverged", step=step, now=now, best=self.best)
            self.best = min(self.best, now)


def train(args, job, mesh, device, asked):
    """Trains what is left; says whether that is finished."""
    folder, rank, processes = args.folder, dist.get_rank(), dist.get_world_size()
    model = build(job, args, mesh, device)
    parameters = [p for _, p in trained(model)]
    optimizer = torch.optim.AdamW(parameters[:0] or [{"params": parameters}], betas=(job["beta1"], job["beta2"]))
    metrics = load_checkpoint(folder, job, model, optimizer, device)
    guard, rows = Guard(job["guard"]), Rows(folder / "job", job)
    for m in metrics:
        guard.watch(m["step"], m["loss"], m["grad_norm"], m["learning_rate"])
    if rank == 0:
        emit("start", done=len(metrics), steps=job["steps"], device=str(device), processes=processes)
    started = time.monotonic()
    for step in range(len(metrics), job["steps"]):
        sums = torch.zeros(2, dtype=torch.float64, device=device)  # the loss, and how many want to stop
        for some in passes(rows.step(step), rank, processes, args.rows_per_pass):
            loss = model(*batch(some, device))
            loss.backward()
            sums[0] += loss.detach()
        sums[1] = bool(asked) or (rank == 0 and (folder / "stop").exists())
        dist.all_reduce(sums)
        loss, stop = sums.tolist()
        norm = torch.nn.utils.clip_grad_norm_(parameters, job["clip"]).full_tensor().item()
        rate = job["learning_rates"][step]
        guard.watch(step + 1, loss, norm, rate)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()
        metric = {"step": step + 1, "loss": loss, "learning_rate": rate, "grad_norm": norm}
        metric |= {"tokens": job["tokens"][step], "tokens_trained": job["targets"][step]}
        metrics.append(metric)
        if rank == 0:
            emit("step", seconds=time.monotonic() - started, **metric)
        stop = stop > 0 and step + 1 < job["steps"]
        if stop or (args.checkpoint_every and (step + 1) % args.checkpoint_every == 0):
            save_checkpoint(folder, job, model, optimizer, metrics, mesh)
        if stop:
            return False
    about = {package.__name__: package.__version__ for package in (torch, transformers, peft)}
    about |= {"job": job["id"], "processes": processes, "python": sys.version.split()[0], "metrics": metrics}
    about |= {"device": "cpu", "peak_memory": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    if device.type == "cuda":
        about["device"] = torch.cuda.get_device_name(device)
        about["peak_memory"] = torch.cuda.max_memory_allocated(device)
    save_result(folder, job, model, about)
    return True


def take_lock(folder):
    """One training at a time in a folder; the lock is the system's and goes with this process."""
    file = open(folder / "lock", "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Stop("locked", f"another process is training in {folder}") from None
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True, help="folder with config.json and the weights to start from")
    parser.add_argument("--processes", type=int, required=True, help="as many as torchrun is to start, on all nodes")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--sharding", choices=["full", "gradients", "hybrid"], default="full")
    parser.add_argument("--rows-per-pass", type=int, default=1)
    parser.add_argument("--checkpoint-every", type=int, default=0)
    parser.add_argument("--gradient-checkpointing", action="store_true")
    args, asked = parser.parse_args(), []
    if os.environ.get("WHYFIRST_WATCH_STDIN"):  # its other end is with our parent: when that dies, so do we
        threading.Thread(target=lambda: (os.read(0, 1), os._exit(3)), daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda *_: asked.append(True))
    started, local = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_RANK"])
    if started != args.processes:
        raise Stop("processes", f"torchrun started {started} processes, but the job was set up for {args.processes}")
    cuda, gpus = torch.cuda.is_available(), torch.cuda.device_count()
    if cuda and local >= gpus:
        raise Stop("devices", f"process {local + 1} of this machine has no GPU: there are {gpus}")
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo", device_id=device if cuda else None)
    lock = take_lock(args.folder) if dist.get_rank() == 0 else None
    if lock:
        (args.folder / "stop").unlink(missing_ok=True)
    dist.barrier()
    hybrid = args.sharding == "hybrid"
    shape = (args.nodes, started // args.nodes) if hybrid else (started,)
    mesh = init_device_mesh(device.type, shape, mesh_dim_names=("replicate", "shard") if hybrid else ("shard",))
    job = json.loads((args.folder / "job/job.json").read_text())
    finished = is_complete(args.folder / "result") or train(args, job, mesh, device, asked)
    if lock:
        (args.folder / "stop").unlink(missing_ok=True)
        emit("finished" if finished else "interrupted")
    dist.barrier()
    dist.destroy_process_group()


def explain(error):
    if isinstance(error, Stop):
        return error.event
    first = (str(error).strip() or type(error).__name__).splitlines()[0][:500]
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in first:
        return {"kind": "out_of_memory", "message": first}
    if isinstance(error, (dist.DistBackendError, dist.DistNetworkError)) or "Connection closed by peer" in first:
        return {"kind": "communication", "message": first}
    traceback.print_exc()
    return {"kind": "crash", "message": f"{type(error).__name__}: {first}"}


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        emit("error", rank=int(os.environ.get("RANK", 0)), **explain(error))
        sys.stderr.flush()
        os._exit(1)  # the others may be waiting for this process: torchrun ends them
