//! Whether two runs left the same behind: every file byte for byte, but for what is named here.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use serde_json::Value;

/// Left out of the comparison, each for a reason. Within files, [`contents`] takes out one thing more in
/// each of two kinds: the seconds in the record, and the time of creation in a log.
const LEFT_OUT: [(&str, &str); 2] = [
    ("runs/timings/", "how long stages took, the only thing that is measured with a clock"),
    ("runs/work/", "the folder in which checkpoints were, empty now; only a run that wrote one has it"),
];

/// Every file and folder below `dir` by its path, with what of it must be the same in every run.
///
/// # Panics
/// When a record or a log is not what it should be, or a checkpoint was left.
pub fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = Vec::new();
    super::visit(dir, "", &mut found);
    let work: Vec<&String> =
        found.iter().map(|(name, _)| name).filter(|name| name.starts_with("runs/work/")).collect();
    assert!(work.is_empty() || work == ["runs/work/"], "left: {work:?}");
    found
        .into_iter()
        .filter(|(name, _)| !LEFT_OUT.iter().any(|(folder, _)| name.starts_with(folder)))
        .flat_map(|(name, bytes)| match name.rsplit_once('.') {
            Some((_, "eval")) => log(&name, bytes),
            _ if name == "runs/record.json" => vec![(name, without_seconds(&bytes))],
            _ => vec![(name, bytes)],
        })
        .collect()
}

/// The files of a log, which is a ZIP archive, without the time it was made at.
fn log(name: &str, bytes: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let part = file.name().unwrap().into_owned();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            if part == "header.json" {
                let mut header: Value = serde_json::from_slice(&bytes).unwrap();
                assert!(header["eval"]["created"].take().is_string(), "{name}");
                bytes = header.to_string().into_bytes();
            }
            (format!("{name}/{part}"), bytes)
        })
        .collect()
}

fn without_seconds(bytes: &[u8]) -> Vec<u8> {
    let mut record: Value = serde_json::from_slice(bytes).unwrap();
    for stage in record["stages"].as_object_mut().unwrap().values_mut() {
        assert!(stage["actual"]["seconds"].take().is_number());
    }
    record.to_string().into_bytes()
}

/// Fails and names what differs.
///
/// # Panics
/// When something does.
pub fn assert_same(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>, when: &str) {
    let names = found.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>();
    let differing: Vec<String> = names
        .into_iter()
        .filter_map(|name| match (found.get(name), expected.get(name)) {
            (Some(a), Some(b)) if a == b => None,
            (Some(_), Some(_)) => Some(format!("{name} differs")),
            (Some(_), None) => Some(format!("{name} should not be there")),
            (None, _) => Some(format!("{name} is missing")),
        })
        .collect();
    assert!(differing.is_empty(), "{when}:\n{}", differing.join("\n"));
}

/// Copies a folder.
///
/// # Panics
/// When it cannot.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
