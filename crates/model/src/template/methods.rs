//! Methods of Python's texts, lists and dictionaries that templates call and minijinja does not have.

use minijinja::value::{Tuple, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat;

/// The method of that name, ours or minijinja's.
pub(super) fn call(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let own = match (value.kind(), value.as_str()) {
        (ValueKind::String, Some(text)) => of_text(state, text, method, args)?,
        (ValueKind::Seq | ValueKind::Map, _) if method == "copy" => Some(value.clone()),
        (ValueKind::Seq, _) if method == "index" => {
            let (wanted,): (Value,) = from_args(args)?;
            let at = value.try_iter()?.position(|item| item == wanted);
            Some(Value::from(at.ok_or_else(|| wrong("the list has no such item"))?))
        }
        // As the sandbox of transformers has it.
        (ValueKind::Seq, _)
            if ["append", "extend", "insert", "pop", "remove", "sort", "reverse"].contains(&method) =>
        {
            return Err(wrong(format!("`{method}` would change a list, which a template may not do")));
        }
        (ValueKind::Map, _) if ["pop", "update", "setdefault", "clear", "popitem"].contains(&method) => {
            return Err(wrong(format!("`{method}` would change a dictionary, which a template may not do")));
        }
        _ => None,
    };
    let method = if method == "rsplit" { "split" } else { method };
    own.map_or_else(|| pycompat::unknown_method_callback(state, value, method, args), Ok)
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

fn of_text(state: &State, text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            text.strip_prefix(prefix).unwrap_or(text).into()
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            text.strip_suffix(suffix).unwrap_or(text).into()
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            if separator.is_empty() {
                return Err(wrong("an empty separator"));
            }
            let (found, parts) = match method {
                "partition" => (text.split_once(separator), [text, "", ""]),
                _ => (text.rsplit_once(separator), ["", "", text]),
            };
            let parts = found.map_or(parts, |(before, after)| [before, separator, after]);
            Value::from_object(Tuple::new(parts.into_iter().map(Value::from).collect()))
        }
        "rsplit" => {
            let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
            let (Some(separator), Some(most)) = (separator, most.filter(|most| *most >= 0)) else {
                // Without a limit it does not matter where one begins.
                return Ok(None);
            };
            let mut parts: Vec<&str> = text.rsplitn(most as usize + 1, separator).collect();
            parts.reverse();
            parts.into_iter().map(Value::from).collect()
        }
        "index" => {
            let (wanted,): (&str,) = from_args(args)?;
            let at = text.find(wanted).ok_or_else(|| wrong("substring not found"))?;
            Value::from(text[..at].chars().count())
        }
        "casefold" => text.to_lowercase().into(),
        "swapcase" => {
            let swap = |c: char| match c.is_uppercase() {
                true => c.to_lowercase().collect::<String>(),
                false => c.to_uppercase().collect(),
            };
            text.chars().map(swap).collect::<String>().into()
        }
        "ljust" | "rjust" | "center" | "zfill" => {
            let (width, fill): (usize, Option<&str>) = from_args(args)?;
            state.consume_fuel(width as u64 / 64)?;
            let fill = if method == "zfill" { "0" } else { fill.unwrap_or(" ") };
            let missing = width.saturating_sub(text.chars().count());
            let left = match method {
                "ljust" => 0,
                // Where it cannot be even, Python puts the odd one to the left if the width is odd.
                "center" => missing / 2 + (missing & width & 1),
                _ => missing,
            };
            match text.strip_prefix(['+', '-']).filter(|_| method == "zfill") {
                Some(digits) => format!("{}{}{digits}", &text[..1], fill.repeat(left)).into(),
                None => format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left)).into(),
            }
        }
        _ => return Ok(None),
    }))
}
