//! `new`: a folder with a file that explains itself.

use serde_json::json;

use crate::args::New;
use crate::exit::Exit;
use crate::output;

/// Writes a new experiment folder.
pub fn run(args: &New) -> Exit {
    let files = match experiment::scaffold::write(&args.folder) {
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
