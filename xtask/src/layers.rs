//! The direction of imports: a crate may use only crates of lower layers.

use crate::shell::{Result, read, root};

/// The crates by layer, lowest first, as ARCHITECTURE.md explains them.
const LAYERS: &[&[&str]] = &[
    &["kernels", "store", "spec", "stats", "budget"],
    &["model", "suite", "ledger", "hub"],
    &["lab", "train", "llm", "simulator"],
    &["corpus", "eval", "writing", "torch", "serve"],
    &["audit"],
    &["experiment"],
    &["report"],
    &["whyfirst"],
];

/// Fails when a crate has no layer or imports one that is not below its own.
pub fn check() -> Result<()> {
    let folder = root().join("crates");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut wrong = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let manifest = format!("crates/{name}/Cargo.toml");
        wrong.extend(upward(&name, &read(&manifest)?).into_iter().map(|why| format!("{manifest}: {why}")));
    }
    wrong.sort();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The imports in `manifest` that the layer of crate `name` forbids.
fn upward(name: &str, manifest: &str) -> Vec<String> {
    let Some(own) = layer(name) else {
        return vec![format!("`{name}` has no layer; give it one in xtask/src/layers.rs")];
    };
    let imports = manifest.lines().filter_map(|line| line.split(['.', '=']).next()).map(str::trim);
    imports
        .filter(|import| layer(import).is_some_and(|theirs| theirs >= own))
        .map(|import| format!("layer {own} may not import `{import}`"))
        .collect()
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|names| names.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::upward;

    #[test]
    fn only_lower_layers_may_be_imported() {
        let manifest = "[package]\nname = \"whyfirst-model\"\n[dependencies]\n\
                        kernels.workspace = true\nserde.workspace = true\n\
                        suite.workspace = true\ntrain = { path = \"../train\" }\n";
        let wrong = upward("model", manifest);
        assert_eq!(wrong, ["layer 1 may not import `suite`", "layer 1 may not import `train`"]);
        assert!(upward("report", manifest).is_empty());
        assert_eq!(upward("newcomer", manifest).len(), 1);
    }
}
