//! Kills and faults in great number. The tests are those of an ordinary `cargo test`, asked for more.

use crate::shell::{Result, cargo, run};

/// How often and by which seed; `faults` adds a fault at every durable write, which takes longest.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    kills: u64,
    seed: u64,
    faults: bool,
}

/// Kills pretraining, runs and writing with `kill -9`, then makes every durable write fail in every way it can.
pub fn all(arguments: &[&str]) -> Result<()> {
    let Asked { kills, seed, faults } = parse(arguments)?;
    let test = |name: &str| {
        cargo(&format!("test --release -p whyfirst --test {name} -- --nocapture --test-threads 1"))
    };
    for name in ["kill", "writing"] {
        let mut killing = test(name);
        killing.env("WHYFIRST_KILLS", kills.to_string()).env("WHYFIRST_KILL_SEED", seed.to_string());
        run(killing)?;
    }
    if faults {
        let mut failing = test("faults");
        failing.env("WHYFIRST_FAULTS", "all");
        run(failing)?;
    }
    Ok(())
}

fn parse(arguments: &[&str]) -> Result<Asked> {
    let mut asked = Asked { kills: 60, seed: 1, faults: true };
    let mut arguments = arguments.iter();
    while let Some(&name) = arguments.next() {
        let mut number = || -> Result<u64> {
            let value = arguments.next().ok_or(format!("{name} needs a number"))?;
            value.parse().map_err(|_| format!("{name} needs a number, not `{value}`"))
        };
        match name {
            "--kills" => asked.kills = number()?,
            "--seed" => asked.seed = number()?,
            "--no-faults" => asked.faults = false,
            other => {
                return Err(format!(
                    "kill: unknown option `{other}`; there are --kills N, --seed S, --no-faults"
                ));
            }
        }
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::{Asked, parse};

    #[test]
    fn options() {
        assert_eq!(parse(&[]), Ok(Asked { kills: 60, seed: 1, faults: true }));
        let some = ["--kills", "40", "--seed", "7", "--no-faults"];
        assert_eq!(parse(&some), Ok(Asked { kills: 40, seed: 7, faults: false }));
        assert!(
            parse(&["--kills"]).is_err() && parse(&["--kills", "many"]).is_err() && parse(&["-k"]).is_err()
        );
    }
}
