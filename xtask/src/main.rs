//! Chores of the repository: `cargo xtask help` lists them.

mod browser;
mod layers;
mod licences;
mod peers;
mod shell;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <chore>

  test              every check and every test; the same as the project's CI
  peers             make the Python environment that results are compared with, print its python
  fixtures [check]  rewrite the committed PyTorch fixtures, or compare them with a fresh run
  browser           print the browser that report pages are looked at with
  licences          check that every dependency's licence is on the list in deny.toml
  layers            check that crates import only from lower layers
  deny              run cargo-deny with deny.toml (needs `cargo install cargo-deny --locked`)
  help              this text";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["test"] => test::run_all(),
        ["peers"] => peers::environment().map(|python| println!("{}", python.display())),
        ["fixtures"] => peers::fixtures(false),
        ["fixtures", "check"] => peers::fixtures(true),
        ["browser"] => browser::find().map(|path| println!("{}", path.display())),
        ["licences"] => licences::check(),
        ["layers"] => layers::check(),
        ["deny"] => licences::deny(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => {
            eprintln!("xtask: unknown chore `{}`\n\n{HELP}", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
