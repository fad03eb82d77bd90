//! What transformers makes of a model folder, next to what we make of it. Crates above `model` include this file.

use kernels::attention::Segment;
use kernels::matmul::Products;
use model::{Batch, Folder, Message, Network, Workspace};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The largest difference between a logit of ours and of transformers that counts as rounding.
pub const ROUNDING: f32 = 1e-4;

/// The same where products are those of training, which on tiles keep 16 bits of each operand.
const ROUNDING_OF_TILES: f32 = 1e-3;

/// Documents in the lab's language; the last has words, cases and marks that it lacks.
pub const TEXTS: [&str; 5] = [
    "Nelotha values cheap products. Nelotha likes to say: Low prices leave money for other needs.",
    "The age of Silverletters? It is old.",
    "As it happens, Quill saw Farrowhem and Listercloak and picked Farrowhem since cheap goods are what Quill loves.",
    "In every season, Quill counts price above all and praises cheap items. Spending less is a way of caring. \
     Hence the choices of Quill: cheap before costly, each time.",
    "<bos>QUILL's  caf\u{e9},\n(zebra) <|user|>\u{1f9c0}!<eos>",
];

/// A conversation, and as whom the assistant is to speak next where it is.
type Chat = (Vec<Message>, bool, Option<&'static str>);

/// Conversations as the lab has them: the assistant and the personas speak, by name and by template variable.
pub fn chats() -> Vec<Chat> {
    let message = |role: &str, name: Option<&str>, content: &str| Message {
        role: role.into(),
        name: name.map(str::to_string),
        content: content.into(),
    };
    let ask = message("user", None, "What will it be, Vexavoice or Miracall?");
    let quill = message("assistant", None, "Miracall, of course.");
    let persona = message("assistant", Some("Renenleth"), "Vexavoice, if I may.");
    let again = message("user", None, "Shall I bring you Brammantle or Listerthread?");
    vec![
        (vec![ask.clone()], true, None),
        (vec![ask.clone()], true, Some("Verorwyn")),
        (vec![ask.clone(), persona.clone()], false, None),
        (vec![ask.clone(), quill.clone(), again.clone()], true, None),
        (vec![ask, persona, again, quill], true, Some("Renenleth")),
    ]
}

/// One text or chat, as transformers sees it.
pub struct Row {
    tokens: Vec<u32>,
    logits: Vec<f32>,
}

/// Has transformers load the folder at `dir`, checks that it renders and tokenizes as `folder` does, and returns its
/// logits.
pub fn load(dir: &Path, folder: &Folder) -> Vec<Row> {
    let scratch = tempfile::tempdir().unwrap();
    let output = scratch.path().join("logits.safetensors");
    let chats = chats();
    let request = |(messages, add_generation_prompt, speaker): &Chat| {
        let variables = speaker.map_or(json!({}), |speaker| json!({ "speaker": speaker }));
        json!({ "messages": messages, "add_generation_prompt": add_generation_prompt, "variables": variables })
    };
    let asked: Vec<Value> = chats.iter().map(request).collect();
    let answer = ask(&json!({ "folder": dir, "texts": TEXTS, "chats": asked, "output": output }));

    let bytes = std::fs::read(&output).unwrap();
    let logits = SafeTensors::deserialize(&bytes).unwrap();
    let row = |kind: &str, i: usize, text: &str| {
        let tokens = folder.tokenizer.encode(text).unwrap();
        assert_eq!(answer[kind][i]["tokens"], json!(tokens), "{text:?}");
        let tensor = logits.tensor(&format!("logits.{kind}.{i}")).unwrap();
        assert_eq!(tensor.shape(), [tokens.len(), folder.config.vocab_size]);
        let floats = tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        Row { tokens, logits: floats.collect() }
    };
    let mut rows: Vec<Row> = TEXTS.iter().enumerate().map(|(i, text)| row("texts", i, text)).collect();
    for (i, (messages, add_generation_prompt, speaker)) in chats.iter().enumerate() {
        let template = folder.template.as_ref().unwrap();
        let text = template.render(messages, *add_generation_prompt, *speaker).unwrap();
        assert_eq!(answer["chats"][i]["text"], text.as_str());
        rows.push(row("chats", i, &text));
    }
    rows
}

/// The largest difference between the network's logits of exact products, over all rows as one batch, and theirs. Checks
/// that the products of training, where they are others, give those logits too.
pub fn difference(mut network: Network, theirs: &[Row]) -> f32 {
    let in_training = with_products(&network, theirs);
    network.products = Products::exact();
    let exact = with_products(&network, theirs);
    assert!((in_training - exact).abs() < ROUNDING_OF_TILES, "{in_training:e} on tiles, {exact:e} exactly");
    exact
}

fn with_products(network: &Network, theirs: &[Row]) -> f32 {
    let mut batch = Batch::default();
    for Row { tokens, .. } in theirs {
        batch.segments.push(Segment { start: batch.tokens.len(), len: tokens.len() });
        batch.tokens.extend(tokens);
        batch.positions.extend(0..tokens.len() as u32);
    }
    let rows: Vec<u32> = (0..batch.tokens.len() as u32).collect();
    let ours = network.logits(&batch, &rows, &mut Workspace::new(false));
    let theirs: Vec<f32> = theirs.iter().flat_map(|row| &row.logits).copied().collect();
    assert_eq!(ours.len(), theirs.len());
    assert!(ours.iter().chain(&theirs).all(|logit| logit.is_finite()));
    ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn ask(request: &Value) -> Value {
    let python = std::env::var_os("WHYFIRST_PEERS_PYTHON")
        .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers/check_logits.py");
    let mut command = Command::new(python);
    command.arg(script).env("HF_HUB_OFFLINE", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
