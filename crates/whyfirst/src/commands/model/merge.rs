//! `model merge`: an adapter added to the weights of its base.

use model::{Adapter, ChatTemplate, Folder};

use super::{Opened, Result, rounded, staged, wrote};
use crate::args::Merge;

/// Merges, and writes a whole model.
pub fn run(args: &Merge) -> Result<()> {
    let staged = staged(&args.to)?;
    let mut folder = Opened::open(&args.base)?.base.folder;
    let adapter = Adapter::load_onto(&args.adapter, &folder.config, &folder.weights)?;
    adapter.merge_into(&folder.config, &mut folder.weights)?;
    // A base often has no template; what was trained on top of it then has the one it was trained with.
    if folder.template.is_none() {
        let source = Folder::template_in(&args.adapter)?;
        folder.template = source.map(|source| ChatTemplate::new(source, &folder.tokenizer)).transpose()?;
    }
    let dtype = args.dtype.into();
    let rounded = rounded(&folder, dtype)?;
    folder.save_as(staged.path(), dtype)?;
    staged.commit()?;
    wrote(&args.to, &format!("a whole model in {}", dtype.name()), rounded, args.json);
    Ok(())
}
