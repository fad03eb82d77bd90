//! `new`: a folder with a file that explains itself.

use experiment::scaffold;
use serde_json::json;

use crate::args::{New, Template};
use crate::exit::Exit;
use crate::output;

/// Writes a new experiment folder.
pub fn run(args: &New) -> Exit {
    let template = match args.template {
        Template::Lab => scaffold::Template::Lab,
        Template::Spec => scaffold::Template::Spec,
    };
    let files = match scaffold::write(&args.folder, template) {
        Ok(files) => files,
        Err(error) => return output::error(&error),
    };
    if args.json {
        output::json(&json!({ "folder": args.folder, "files": files }));
        return Exit::Done;
    }
    for file in files {
        output::line(&format!("wrote {}", file.display()));
    }
    output::line(&format!("next: whyfirst check {}", output::typed(&args.folder)));
    Exit::Done
}
