//! Chores of the repository: `cargo xtask help` lists them.

mod bench;
mod browser;
mod confirm;
mod fuzz;
mod kill;
mod layers;
mod licences;
mod peers;
mod shell;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <chore>

  test              every check and every test; the same as the project's CI
  bench <what>      measure: train, cheese, start, scaling, profile; `cargo xtask bench` says more
  confirm [table]   the confirmation of examples/confirm: three bases and the null world, fresh seeds; its figures
  peers             make the Python environment that results are compared with, print its python
  fixtures [check]  rewrite the committed PyTorch fixtures, or compare them with a fresh run
  browser           print the browser that report pages are looked at with
  fuzz [target] [--minutes N]
                    run the fuzz targets, 10 minutes each unless said otherwise, and fail on a finding
                    (needs `cargo install cargo-fuzz --locked` and a C++ compiler)
  licences          check that every dependency's licence is on the list in deny.toml
  layers            check that crates import only from lower layers
  kill [--kills N] [--seed S] [--no-faults]
                    kill -9 at random moments and a fault at every durable write: is the result the same?
  deny              run cargo-deny with deny.toml (needs `cargo install cargo-deny --locked`)
  help              this text";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["test"] => test::run_all(),
        ["bench", ref rest @ ..] => bench::run(rest),
        ["confirm"] => confirm::run_all(),
        ["confirm", "table"] => confirm::table(&shell::root().join("examples/confirm")),
        ["peers"] => peers::environment().map(|python| println!("{}", python.display())),
        ["fixtures"] => peers::fixtures(false),
        ["fixtures", "check"] => peers::fixtures(true),
        ["browser"] => browser::find().map(|path| println!("{}", path.display())),
        ["fuzz", ref rest @ ..] => fuzz::run_targets(rest),
        ["licences"] => licences::check(),
        ["layers"] => layers::check(),
        ["kill", ref options @ ..] => kill::all(options),
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
