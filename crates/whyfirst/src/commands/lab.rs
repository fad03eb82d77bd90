//! `lab`: making and measuring the base model of the small world.

use std::io::IsTerminal;

use comfy_table::{Cell, CellAlignment, Table, TableStyle};
use experiment::base::{Base, BaseSource};
use experiment::calibrate::{Calibration, Responses, calibrate, recipe};
use experiment::lab_base::{Manifest, Pretrained, Pretraining, pretrain};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use train::{Observer, Progress};

use crate::args::{Calibrate, Lab, Pretrain};
use crate::commands::threads;
use crate::exit::Exit;
use crate::lab_base::SHIPPED;
use crate::{interrupt, output};

/// Runs a command of the lab.
pub fn run(command: &Lab) -> Exit {
    match command {
        Lab::Pretrain(args) => run_pretrain(args),
        Lab::Calibrate(args) => run_calibrate(args),
    }
}

fn run_pretrain(args: &Pretrain) -> Exit {
    let mut pretraining = Pretraining { seed: args.seed, ..Pretraining::default() };
    pretraining.mix.link = !args.null;
    if let Some(steps) = args.steps {
        pretraining.recipe.steps = steps;
    }
    if let Some(rows) = args.rows {
        pretraining.rows = rows;
    }
    if let Some(steps) = args.calibration_steps {
        pretraining.calibration_steps = steps;
    }
    interrupt::listen();
    let mut watch = Watch::new(pretraining.recipe.steps);
    let bar = watch.bar.clone();
    let pretrained =
        pretrain(&pretraining, &args.out, threads(args.threads), &mut watch, &|what| match bar.is_hidden() {
            true => eprintln!("{what}"),
            false => bar.suspend(|| eprintln!("{what}")),
        });
    watch.bar.finish_and_clear();
    let folder = output::typed(&args.out);
    match pretrained {
        Err(error) => output::error(&error),
        Ok(Pretrained::Interrupted(step)) => {
            eprintln!(
                "interrupted after step {step}; what was done is kept. The same command goes on from there"
            );
            Exit::Interrupted
        }
        Ok(Pretrained::AlreadyThere(manifest)) => {
            show_base(&manifest, args.json, &format!("nothing to do: {folder} holds this base already"));
            Exit::Done
        }
        Ok(Pretrained::Done(manifest)) => {
            show_base(&manifest, args.json, &format!("wrote {folder}; use it as `base = \"{folder}\"`"));
            Exit::Done
        }
    }
}

fn run_calibrate(args: &Calibrate) -> Exit {
    let source = match &args.model {
        None => BaseSource::Lab,
        Some(path) => BaseSource::Folder { written: path.display().to_string(), path: path.clone() },
    };
    let base = match Base::load(&source, SHIPPED) {
        Ok(base) => base,
        Err(error) => return output::error(&error.into()),
    };
    let world = ::lab::World::new(args.world_seed);
    let recipe = recipe();
    let mut watch = Watch::new(recipe.steps);
    let measured = calibrate(&base.folder, &world, args.seed, &recipe, threads(args.threads), &mut watch);
    watch.bar.finish_and_clear();
    match measured {
        Err(error) => output::error(&error),
        Ok(None) => output::failure("the calibration did not finish"),
        Ok(Some(calibration)) => {
            match args.json {
                true => output::json(&calibration),
                false => show(&calibration),
            }
            Exit::Done
        }
    }
}

fn show_base(manifest: &Manifest, json: bool, last: &str) {
    if json {
        return output::json(manifest);
    }
    output::line(&format!(
        "{} parameters, {} tokens in {} steps, final loss {:.3} nats per token",
        manifest.parameters, manifest.tokens, manifest.pretraining.recipe.steps, manifest.final_loss
    ));
    if let Some(calibration) = &manifest.calibration {
        show(calibration);
    }
    output::line(last);
}

/// The response matrix, as two tables and one sentence.
fn show(calibration: &Calibration) {
    for responses in [&calibration.first, &calibration.opposite] {
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        let head = responses.measured.iter().map(|m| right(format!("P({m})")));
        table.set_header(std::iter::once(Cell::new("stated value")).chain(head));
        let mut row = |name: String, values: &[f64]| {
            table.add_row(
                std::iter::once(Cell::new(name)).chain(values.iter().map(|v| right(format!("{v:.2}")))),
            );
        };
        row("(none yet)".into(), &responses.untouched);
        for (name, values) in responses.values.iter().zip(&responses.matrix) {
            row(name.clone(), values);
        }
        output::line(&table.to_string());
    }
    let weakest = |r: &Responses| r.weakest();
    output::line(&format!(
        "a stated value is chosen with probability {:.2} or more (aim .90); values not stated move by up to {:.2} (aim .10); \
         {} names a value",
        weakest(&calibration.first).min(weakest(&calibration.opposite)),
        calibration.first.widest_leak().max(calibration.opposite.widest_leak()),
        calibration.first.names,
    ));
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// A bar at a terminal; elsewhere a line now and then.
struct Watch {
    bar: ProgressBar,
    terminal: bool,
}

impl Watch {
    fn new(steps: u64) -> Watch {
        let terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("step {pos}/{len}  {wide_bar}  {msg}, {eta} left") {
            bar.set_style(style);
        }
        Watch { bar, terminal }
    }
}

impl Observer for Watch {
    fn step(&mut self, progress: &Progress) {
        let m = &progress.metrics;
        self.bar.set_position(m.step);
        let what = format!("loss {:.3}, {:.0} tokens/s", m.loss, progress.tokens_per_second);
        if !self.terminal && m.step.is_multiple_of(500) {
            eprintln!("step {}/{}: {what}", m.step, progress.steps);
        }
        self.bar.set_message(what);
    }

    fn interrupted(&self) -> bool {
        interrupt::requested().load(std::sync::atomic::Ordering::SeqCst)
    }
}
