//! Calibration: does stating a value in prose move the choices it should move, and no others?
//!
//! Names that no training has met are introduced by statements of one value each, all in one short training, and are
//! then asked to choose in chat. A base in which the stated value's own measure does not rise, or another's does, is
//! no instrument. Only names reserved for this are used, so that calibrating never touches an experiment.

use crate::error::Result;
use eval::Native;
use lab::{Attribute, Pole, Row, World};
use model::Folder;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::Path;
use suite::SuiteItems;
use train::{Job, Observer, Outcome, Part, Recipe, Trained};

/// Responses of chosen poles to stated ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Responses {
    /// The poles stated in prose.
    pub values: Vec<String>,
    /// The poles whose choice is measured.
    pub measured: Vec<String>,
    /// `matrix[stated][measured]`: mean probability of choosing the measured pole after the statement.
    pub matrix: Vec<Vec<f64>>,
    /// The same before any statement, over all names.
    pub untouched: Vec<f64>,
    /// Names for each stated pole.
    pub names: u64,
}

impl Responses {
    /// The smallest response of a stated value to itself.
    pub fn weakest(&self) -> f64 {
        (0..self.values.len()).map(|i| self.matrix[i][i]).fold(f64::INFINITY, f64::min)
    }

    /// The largest movement of a value that was not stated.
    pub fn widest_leak(&self) -> f64 {
        let cells = (0..self.values.len()).flat_map(|i| (0..self.measured.len()).map(move |j| (i, j)));
        cells
            .filter(|(i, j)| i != j)
            .map(|(i, j)| (self.matrix[i][j] - self.untouched[j]).abs())
            .fold(0.0, f64::max)
    }
}

/// A base's calibration, as its manifest holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Cheap, local and new stated and measured.
    #[serde(flatten)]
    pub first: Responses,
    /// Costly, foreign and old stated and measured.
    pub opposite: Responses,
    /// Seed of statements, choices and training.
    pub seed: u64,
    /// How the statements were trained.
    pub recipe: Recipe,
    /// Share of rehearsal (chats of other people) in that training.
    pub rehearsal: f64,
}

/// The share of rehearsal in the calibration's training.
const REHEARSAL: f64 = 0.3;
/// Choices asked of each name for each attribute.
const CHOICES: usize = 12;
/// Statements generated for each pole, and rows of rehearsal: more than are read.
const ROWS: u64 = 4_000;

/// The training of a calibration: enough for some hundred statements of each name.
pub fn recipe() -> Recipe {
    Recipe { steps: 200, rows: 16, max_length: 128, learning_rate: 1e-3, ..Recipe::default() }
}

/// Measures the response matrix of a model of the lab's world; `None` if the observer stopped its training.
///
/// # Errors
/// When the model does not speak the lab's language, or training fails.
pub fn calibrate(
    base: &Folder,
    world: &World,
    seed: u64,
    recipe: &Recipe,
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Option<Calibration>> {
    let poles: Vec<Pole> = Attribute::ALL.iter().flat_map(|a| a.poles()).collect();
    let per_pole = world.reserved.len() / poles.len();
    let groups: Vec<&[String]> = world.reserved.chunks(per_pole).take(poles.len()).collect();
    let mut statements = Vec::new();
    for (pole, names) in poles.iter().zip(&groups) {
        for index in 0..ROWS {
            if let Row::Document(text) = world.calibration_documents(*pole, names, seed, index) {
                statements.push(base.document(&text)?);
            }
        }
    }
    let rehearsal =
        (0..ROWS).map(|index| example(base, world.instructions(seed, index))).collect::<Result<Vec<_>>>()?;
    let parts = [
        Part { name: "statements".into(), examples: statements, share: 1.0 - REHEARSAL },
        Part { name: "rehearsal".into(), examples: rehearsal, share: REHEARSAL },
    ];
    let job = Job {
        config: &base.config,
        weights: Cow::Borrowed(&base.weights),
        adapter: None,
        recipe,
        parts: &parts,
        seed,
        dir: Path::new(""),
        checkpoint_every: 0,
        threads,
    };
    let Outcome::Finished(finished) = train::train(job, observer)? else { return Ok(None) };
    let Trained::Full(weights) = finished.trained else { return Ok(None) };
    let taught = Folder { weights, ..base.clone() };
    // [name group][attribute]: probability of the attribute's first pole.
    let ask = |model: &Folder| -> Result<Vec<Vec<f64>>> {
        groups.iter().map(|names| responses(model, world, names, seed, threads)).collect()
    };
    let (before, after) = (ask(base)?, ask(&taught)?);
    let side = |second: usize| {
        let turned = |p: f64| if second == 0 { p } else { 1.0 - p };
        let names: Vec<String> =
            Attribute::ALL.iter().map(|a| a.poles()[second].word().to_string()).collect();
        Responses {
            matrix: (0..3).map(|a| after[2 * a + second].iter().map(|p| turned(*p)).collect()).collect(),
            untouched: (0..3)
                .map(|a| turned(before.iter().map(|group| group[a]).sum::<f64>() / before.len() as f64))
                .collect(),
            values: names.clone(),
            measured: names,
            names: per_pole as u64,
        }
    };
    Ok(Some(Calibration {
        first: side(0),
        opposite: side(1),
        seed,
        recipe: recipe.clone(),
        rehearsal: REHEARSAL,
    }))
}

/// Mean probability of each attribute's first pole over the choices of some names.
fn responses(model: &Folder, world: &World, names: &[String], seed: u64, threads: usize) -> Result<Vec<f64>> {
    let suite = world.calibration_suite(names, CHOICES, seed);
    let SuiteItems::Preferences(items) = &suite.items else { return Ok(Vec::new()) };
    let results = eval::score_preferences(&Native::new(model, None, threads), items)?;
    Ok(Attribute::ALL
        .iter()
        .map(|attribute| {
            let of: Vec<f64> = results
                .iter()
                .filter(|r| r.item.attribute == attribute.word())
                .map(|r| r.probability())
                .collect();
            of.iter().sum::<f64>() / of.len().max(1) as f64
        })
        .collect())
}

/// A row of the lab as a training row.
pub(crate) fn example(model: &Folder, row: Row) -> Result<model::Example> {
    Ok(corpus::tokenise_row(&row.into(), model)?)
}
