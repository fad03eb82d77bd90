//! All models of an experiment that are trained by now, by name: what can be served and talked to. They are found in the
//! stage graph, so that a run need not have ended; [`trained`](crate::trained) finds one in the record of a run that has.

use std::path::PathBuf;

use crate::prepare::Prepared;
use crate::trained::ADAPTER;

/// A trained model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedModel {
    /// Its arm.
    pub arm: String,
    /// Its spec, for an arm that has one.
    pub spec: Option<String>,
    /// Its seed.
    pub seed: u64,
    /// The folder with the whole model.
    pub folder: PathBuf,
    /// The folder of its adapter, if it was trained as one.
    pub adapter: Option<PathBuf>,
}

impl FinishedModel {
    /// `spec/arm/seed`, or `arm/seed`.
    pub fn name(&self) -> String {
        let spec = self.spec.iter().map(|spec| format!("{spec}/")).collect::<String>();
        format!("{spec}{}/{}", self.arm, self.seed)
    }
}

/// The models that are there, in the order of arms, specs and seeds. The untouched base is not among them.
pub fn finished(prepared: &Prepared) -> Vec<FinishedModel> {
    let last =
        |stages: &[usize]| stages.last().copied().filter(|stage| prepared.stages[*stage].manifest.is_some());
    let cells = prepared.graph.cells.iter().filter_map(|cell| Some((cell, last(&cell.stages)?)));
    let model = cells.map(|(cell, stage)| {
        let folder = prepared.paths.stage(prepared.graph.stages[stage].id);
        let adapter = Some(folder.join(ADAPTER)).filter(|adapter| adapter.is_dir());
        let arm = prepared.experiment.arms[cell.arm].name.clone();
        FinishedModel { arm, spec: cell.spec.clone(), seed: cell.seed, folder, adapter }
    });
    model.collect()
}
