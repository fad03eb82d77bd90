//! `lab`: making and measuring the base model of the small world.

use crate::args::Lab;
use crate::exit::Exit;

/// Runs a command of the lab.
pub fn run(command: Lab) -> Exit {
    match command {}
}
