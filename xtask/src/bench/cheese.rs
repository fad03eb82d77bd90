//! The whole of `examples/cheese` against a straightforward PyTorch script that does the same trainings.

use serde_json::{Value, json};

use super::table::{markdown, megabytes, times};
use super::train::number;
use super::{
    Options, THREADS, answer, compiled, copy_experiment, folder, median, peer, remove, timed, whyfirst,
};
use crate::peers;
use crate::shell::{Result, command, root};

/// How many times as fast as PyTorch the example is to be, and within what time.
const AIM: (f64, f64) = (5.0, 120.0);

/// A way to do it in PyTorch.
struct Way {
    name: &'static str,
    options: &'static [&'static str],
    /// Whether glibc keeps its heap.
    heap: bool,
}

const WAYS: [Way; 4] = [
    Way { name: "PyTorch eager", options: &[], heap: false },
    Way { name: "PyTorch eager, heap kept", options: &[], heap: true },
    Way { name: "PyTorch eager, heap kept, stages side by side", options: &["--apart"], heap: true },
    Way { name: "PyTorch compile, heap kept", options: &["--compile"], heap: true },
];

/// Runs the example with the program before every run with PyTorch. The program's time is from the start of
/// the process to the report, corpora and statistics included. PyTorch's is from the first line after its
/// imports, and starts from corpora that are there.
pub fn run(options: &Options) -> Result<Value> {
    let (program, python) = (whyfirst()?, peers::environment()?);
    let (experiment, out) = (folder()?.join("cheese"), folder()?.join("cheese-torch"));
    let (mut ours, mut peak, mut theirs) = (Vec::new(), None, Vec::new());
    for way in WAYS {
        remove(&experiment)?;
        copy_experiment(&root().join("examples/cheese"), &experiment)?;
        let mut run = command(&program);
        run.arg("run").arg(&experiment).args(["--threads", THREADS]);
        let (time, most) = timed(run)?;
        eprintln!("whyfirst: {:.1} s", time.as_secs_f64());
        ours.push(time.as_secs_f64());
        peak = most.max(peak);

        remove(&out)?;
        remove(&compiled()?)?;
        let (from, to) = (experiment.to_string_lossy(), out.to_string_lossy());
        let mut words = vec![&*from, &*to];
        words.extend(way.options);
        if let Some(stages) = &options.stages {
            words.extend(["--limit", stages]);
        }
        let answer = answer(peer(&python, "cheese.py", &words, way.heap)?)?;
        eprintln!("{}: {answer}", way.name);
        theirs.push((way.name, answer));
    }
    remove(&out)?;
    let (seconds, peak) = (median(ours.clone()), peak.map_or(f64::NAN, |bytes| bytes as f64));

    let mut rows = vec![vec![
        "whyfirst".to_owned(),
        format!("{seconds:.1} s"),
        "from nothing to the report".to_owned(),
        "1.00x".to_owned(),
        megabytes(peak),
    ]];
    for (name, answer) in &theirs {
        rows.push(vec![
            (*name).to_owned(),
            format!("{:.1} s", number(answer, "seconds")),
            format!(
                "{:.1} s training, {:.1} s evaluating",
                number(&answer["of_which"], "train"),
                number(&answer["of_which"], "evaluate")
            ),
            if options.stages.is_none() { times(number(answer, "seconds") / seconds) } else { "-".into() },
            megabytes(number(answer, "peak_bytes")),
        ]);
    }
    options.show(&markdown(&["", "wall time", "of which", "times whyfirst's", "peak memory"], 1, &rows));
    options.show(&format!("\n{THREADS} threads; whyfirst's time is the median of {} runs.", ours.len()));
    if options.stages.is_some() {
        options.show("PyTorch did a part only: its times compare with nothing.");
    } else {
        options.show(&agreement(&theirs));
        let best = theirs.iter().map(|(_, answer)| number(answer, "seconds")).fold(f64::INFINITY, f64::min);
        let met = |met: bool| if met { "met" } else { "NOT MET" };
        eprintln!(
            "{} the fastest PyTorch ({}x wanted: {}); {seconds:.0} s (under {} s wanted: {})",
            times(best / seconds),
            AIM.0,
            met(best / seconds >= AIM.0),
            AIM.1,
            met(seconds < AIM.1),
        );
    }
    let theirs: Vec<Value> =
        theirs.into_iter().map(|(name, answer)| json!({ "way": name, "answer": answer })).collect();
    Ok(json!({ "seconds": seconds, "runs": ours, "peak_bytes": peak, "peers": theirs }))
}

/// Whether PyTorch's models came out as ours: the steering of both sides, seed by seed.
fn agreement(theirs: &[(&str, Value)]) -> String {
    let points = |values: &Value| -> String {
        let values: Vec<f64> = values.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let seeds: Vec<String> = values.iter().map(|value| format!("{:+.1}", 100.0 * value)).collect();
        format!("{:+.1} ({})", 100.0 * mean, seeds.join(", "))
    };
    let mut rows = Vec::new();
    for (name, answer) in theirs {
        let steering = &answer["steering"];
        let poles = steering["native"].as_object().into_iter().flat_map(|poles| poles.keys());
        rows.extend(poles.map(|pole| {
            let (ours, theirs) = (points(&steering["native"][pole]), points(&steering["torch"][pole]));
            vec![(*name).to_owned(), pole.clone(), ours, theirs]
        }));
    }
    let header = ["against", "steering, points", "whyfirst: mean (by seed)", "PyTorch: mean (by seed)"];
    format!("\n{}", markdown(&header, 2, &rows))
}
