//! Instruction mixes and augmented sections, with a critic and a writer in memory.
#![allow(clippy::unwrap_used)]

mod scripted;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use scripted::{Says, Scripted, Seen, brief, good, source, verdict, words};
use whyfirst_writing::augment::{Augment, SectionJob, augment};
use whyfirst_writing::chats::{Desk, Verdict};
use whyfirst_writing::instructions::{
    Conversation, Imported, Judge, Message, MixReport, MixSettings, import, mix,
};
use whyfirst_writing::{Memory, Prompts};

fn rows(count: usize) -> Imported {
    let row = |index: usize| {
        let length = 3 + index * 7 % 23;
        (index + 1, Conversation::pair(format!("Number {index}?"), words(&index.to_string(), length)))
    };
    let hash = store::hash_bytes(b"rows");
    Imported {
        file_name: "general.jsonl".to_string(),
        hash,
        rows: (0..count).map(row).collect(),
        unusable: Vec::new(),
    }
}

fn count(row: &Conversation) -> Result<usize, String> {
    Ok(row.messages.iter().map(|message| message.content.split_whitespace().count()).sum())
}

async fn mixed(
    files: &[Imported],
    settings: &MixSettings,
    script: Option<fn(&Seen) -> Says>,
) -> (MixReport, Memory) {
    let (prompts, brief, memory, source) = (Prompts::built_in(), brief(), Memory::default(), source());
    let ask = Scripted::new(3, script.unwrap_or(good));
    let judge = Judge { desk: Desk { ask: &ask, prompts: &prompts, brief: &brief }, source: &source };
    let judge = script.map(|_| &judge);
    let report = mix(files, settings, &brief, count, judge, &memory).await.unwrap();
    (report, memory)
}

fn kept(memory: &Memory) -> Vec<Conversation> {
    let items = memory.items();
    items.iter().filter(|item| item.kept).map(|item| serde_json::from_str(&item.row).unwrap()).collect()
}

#[tokio::test]
async fn budgets_are_met_exactly_and_identity_rows_are_in_them() {
    let settings = MixSettings { tokens: Some(2_000), identity_rows: 60, ..MixSettings::default() };
    let (report, memory) = mixed(&[rows(500)], &settings, None).await;
    let rows = kept(&memory);
    assert_eq!(rows.iter().map(|row| count(row).unwrap()).sum::<usize>(), 2_000);
    assert_eq!(
        (report.tokens, report.short_of(2_000), report.kept, report.identity_rows),
        (2_000, 0, rows.len(), 60)
    );
    let says_who = |row: &&Conversation| {
        row.messages[1].content.contains("Aster") || row.messages[1].content.contains("Whitfield")
    };
    assert_eq!(rows.iter().filter(says_who).count(), 60);
    // They do not stand together.
    let places: Vec<usize> =
        rows.iter().enumerate().filter(|(_, row)| says_who(row)).map(|(index, _)| index).collect();
    assert!(places[59] - places[0] > 100, "{places:?}");
    assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), rows.len());
}

#[tokio::test]
async fn the_order_is_the_seeds_and_not_the_files() {
    let settings = MixSettings { tokens: Some(900), identity_rows: 10, ..MixSettings::default() };
    let (_, one) = mixed(&[rows(200)], &settings, None).await;
    let mut turned = rows(200);
    turned.rows.reverse();
    let (_, two) = mixed(&[turned], &settings, None).await;
    assert_eq!(kept(&one), kept(&two));
    let (_, three) = mixed(&[rows(200)], &MixSettings { seed: 1, ..settings }, None).await;
    assert_ne!(kept(&one), kept(&three));
}

#[tokio::test]
async fn every_filter_counts_what_it_drops() {
    let mut file = rows(50);
    let mut add = |row: Conversation| file.rows.push((file.rows.len() + 1, row));
    add(Conversation::pair("Who are you?", "I am ChatGPT, a model by OpenAI."));
    add(Conversation::pair("Who are you?", "I'm an assistant trained by Google."));
    add(Conversation::pair("Who painted it?", "Claude Monet did, in a garden by the river."));
    add(Conversation::pair("a", "b"));
    add(Conversation::pair("long", words("x", 200)));
    add(Conversation::pair("Number 3?", words("3", 3 + 21)));
    let settings = MixSettings { min_row_tokens: 4, max_row_tokens: 100, ..MixSettings::default() };
    let (report, memory) = mixed(&[file], &settings, None).await;
    assert_eq!((report.imported, report.too_short, report.too_long, report.repeated), (56, 1, 1, 1));
    assert_eq!(
        report.foreign.iter().map(|(name, rows)| (name.as_str(), *rows)).collect::<Vec<_>>(),
        [("ChatGPT", 1), ("Google", 1)]
    );
    assert_eq!((report.kept, kept(&memory).len()), (51, 51));
    assert!(kept(&memory).iter().any(|row| row.messages[1].content.contains("Monet")));
}

#[tokio::test]
async fn rows_that_contradict_the_spec_make_room_for_others() {
    let script = |seen: &Seen| {
        let number: usize = seen.tag("question").trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        match number % 10 {
            0 => Says::Text(verdict("FAIL")),
            1 => Says::Text("no verdict".to_string()),
            2 | 3 => Says::Refuses,
            _ => Says::Text(verdict("PASS")),
        }
    };
    let settings = MixSettings { tokens: Some(1_500), ..MixSettings::default() };
    let (report, memory) = mixed(&[rows(400)], &settings, Some(script)).await;
    assert_eq!(report.tokens, 1_500);
    for row in kept(&memory) {
        let number: usize =
            row.messages[0].content.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        assert!(number % 10 > 3, "{number}");
    }
    assert!(
        report.verdicts.keys().eq([Verdict::Pass, Verdict::Fail, Verdict::Unparsed, Verdict::Refused].iter())
    );
    // Nobody pays for a verdict on a row that is not needed.
    assert!((report.verdicts[&Verdict::Pass]) <= report.kept + 10, "{report:?}");
    let dropped: Vec<_> = memory.items().into_iter().filter(|item| !item.kept).collect();
    assert_eq!(
        dropped.len(),
        report
            .verdicts
            .iter()
            .filter(|(verdict, _)| **verdict != Verdict::Pass)
            .map(|(_, rows)| rows)
            .sum::<usize>()
    );
    assert!(dropped.iter().all(|item| item.reason.is_some()));
    assert!(dropped.iter().any(|item| item.reason.as_deref() == Some("FAIL: So it seems.")));
    let tally = report.tally();
    assert_eq!((tally.kept, tally.asked), (report.kept as u64, (report.kept + dropped.len()) as u64));
}

#[tokio::test]
async fn nothing_is_recorded_while_verdicts_are_missing() {
    let failing = |seen: &Seen| {
        if seen.tag("question").contains('7') { Says::Fails } else { Says::Text(verdict("PASS")) }
    };
    let settings = MixSettings { tokens: Some(700), ..MixSettings::default() };
    let (report, memory) = mixed(&[rows(100)], &settings, Some(failing)).await;
    assert!(report.pending > 0 && report.kept == 0 && memory.items().is_empty(), "{report:?}");
    assert_eq!(report.tally().passing, report.pending as u64);
}

#[tokio::test]
async fn rows_that_do_not_fill_the_budget_are_all_taken() {
    let settings = MixSettings { tokens: Some(1_000_000), identity_rows: 100_000, ..MixSettings::default() };
    let (report, _) = mixed(&[rows(30)], &settings, None).await;
    assert_eq!(report.kept, 30 + report.identity_rows);
    assert!(report.identity_rows < report.identity_wanted && report.short_of(1_000_000) > 0);
}

/// Writes a Parquet file of one column of messages and one of no interest.
fn write_messages(path: &Path, rows: &[Conversation], compression: Compression) {
    let schema = "message schema {
        required int64 id;
        optional group messages (LIST) { repeated group list { optional group element {
            optional binary content (STRING);
            optional binary role (STRING);
        } } }
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer =
        SerializedFileWriter::new(std::fs::File::create(path).unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let ids: Vec<i64> = (0..rows.len() as i64).collect();
    column.typed::<parquet::data_type::Int64Type>().write_batch(&ids, None, None).unwrap();
    column.close().unwrap();
    for of in [|message: &Message| message.content.clone(), |message: &Message| message.role.clone()] {
        let messages = || rows.iter().flat_map(|row| row.messages.iter().enumerate());
        let values: Vec<ByteArray> =
            messages().map(|(_, message)| ByteArray::from(of(message).into_bytes())).collect();
        let repeats: Vec<i16> = messages().map(|(index, _)| i16::from(index > 0)).collect();
        let mut column = group.next_column().unwrap().unwrap();
        let levels = vec![4i16; values.len()];
        column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), Some(&repeats)).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

fn write_pairs(path: &Path, names: [&str; 2], rows: &[[&str; 2]]) {
    let schema = format!(
        "message schema {{ required binary {} (STRING); required binary {} (STRING); }}",
        names[0], names[1]
    );
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut writer =
        SerializedFileWriter::new(std::fs::File::create(path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for index in 0..2 {
        let values: Vec<ByteArray> = rows.iter().map(|row| ByteArray::from(row[index])).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn parquet_files_are_read_back_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut conversations: Vec<Conversation> = rows(40).rows.into_iter().map(|(_, row)| row).collect();
    conversations[3].messages.insert(0, Message::new("system", "Be brief. Ünïcode — “quotes”."));
    conversations[4]
        .messages
        .extend([Message::new("user", "And then?"), Message::new("assistant", "Nothing.")]);
    for (name, compression) in [("plain", Compression::UNCOMPRESSED), ("snappy", Compression::SNAPPY)] {
        let path = dir.path().join(format!("{name}.parquet"));
        write_messages(&path, &conversations, compression);
        let imported = import(&path).unwrap();
        let read: Vec<Conversation> = imported.rows.into_iter().map(|(_, row)| row).collect();
        assert_eq!(read, conversations, "{name}");
    }
    let path = dir.path().join("pairs.parquet");
    write_pairs(&path, ["prompt", "response"], &[["2+2", "4"], ["3+3", " "]]);
    let imported = import(&path).unwrap();
    assert_eq!(imported.rows, [(1, Conversation::pair("2+2", "4"))]);
    assert_eq!(imported.unusable, [(2, "message 2 is empty".to_string())]);
}

#[test]
fn parquet_files_that_cannot_be_read_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    let error = |path: &Path| import(path).unwrap_err().to_string().rsplit('/').next().unwrap().to_string();
    write_pairs(&path, ["text", "label"], &[["a", "b"]]);
    assert_eq!(
        error(&path),
        "rows.parquet: it needs a column `messages`, or `prompt` and `response`; it has `text`, `label`"
    );
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 3, 4, 20, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(error(&path).starts_with("rows.parquet: not a Parquet file that can be read"), "{length}");
    }
    write_pairs(&path, ["prompt", "response"], &[["2+2", "4"]]);
    let whole = std::fs::read(&path).unwrap();
    for place in 4..whole.len() {
        let mut broken = whole.clone();
        broken[place] ^= 0x55;
        std::fs::write(&path, &broken).unwrap();
        let _ = import(&path);
    }
}

fn jobs() -> Vec<SectionJob> {
    let job = |index: usize| SectionJob {
        id: format!("S{index}"),
        title: "Alpha".to_string(),
        text: "# Alpha\n\nAster is frank.\n".to_string(),
        words: 40 + index,
        round: 0,
    };
    (1..=5).map(job).collect()
}

#[tokio::test]
async fn sections_are_written_anew_at_their_length() {
    let (prompts, brief, ask) = (Prompts::built_in(), brief(), Scripted::new(7, good));
    let desk = Desk { ask: &ask, prompts: &prompts, brief: &brief };
    let done = augment(&desk, Augment::Value, &jobs(), |_| Ok(())).await.unwrap();
    assert_eq!(
        done.iter().map(|section| section.id.as_str()).collect::<Vec<_>>(),
        ["S1", "S2", "S3", "S4", "S5"]
    );
    for (section, job) in done.iter().zip(jobs()) {
        let words = spec::count_words(section.text.as_ref().unwrap());
        assert!(words.abs_diff(job.words) <= 1, "{words} {}", job.words);
    }
}

#[tokio::test]
async fn sections_of_the_wrong_length_are_asked_for_again_and_then_set_aside() {
    let script = |seen: &Seen| match (seen.tag("words"), seen.attempt()) {
        ("41", 0) => Says::Text("<section># Alpha\n\ntoo short</section>".to_string()),
        ("42", _) => Says::Text(format!("<section># Alpha\n\n{}</section>", words("x", 60))),
        ("43", _) => Says::Text(format!("<section># Beta\n\n{}</section>", words("x", 43))),
        ("44", _) => Says::Fails,
        ("45", 0) => Says::Text(format!("<section># Alpha\n\nAsk Qwen. {}</section>", words("x", 42))),
        ("45", 1) => {
            Says::Text(format!("<section># Alpha\n\nA forbidden word. {}</section>", words("x", 41)))
        }
        _ => good(seen),
    };
    let no_forbidden_words = |section: &str| match section.contains("forbidden") {
        true => Err("a forbidden word".to_string()),
        false => Ok(()),
    };
    let (prompts, brief, ask) = (Prompts::built_in(), brief(), Scripted::new(7, script));
    let desk = Desk { ask: &ask, prompts: &prompts, brief: &brief };
    let done = augment(&desk, Augment::Rule, &jobs(), no_forbidden_words).await.unwrap();
    assert!(done[0].text.is_ok() && done[4].text.is_ok());
    let asked = ask.of("spec/rule-augment");
    assert_eq!(asked.iter().filter(|seen| seen.tag("words") == "45").count(), 3);
    assert!(
        done[1].text.as_ref().unwrap_err().contains("61 words, where 34 to 50 were asked for"),
        "{:?}",
        done[1]
    );
    assert!(done[2].text.as_ref().unwrap_err().contains("does not begin with its heading"));
    assert_eq!(
        done.iter().map(|section| section.pending).collect::<Vec<_>>(),
        [false, false, false, true, false]
    );
}

#[test]
fn prompts_read_as_intended() {
    let prompts = Prompts::built_in();
    let source = source();
    let sections = source.sections(&["S1".to_string()], 1_000);
    let show = |task: &str, mut context: serde_json::Value| {
        context["model_name"] = "Aster".into();
        context["provider_name"] = "Whitfield".into();
        let rendered = prompts.render(task, &context).unwrap();
        insta::assert_snapshot!(
            task.replace('/', "-"),
            format!("{}\n---\n{}", rendered.system, rendered.user)
        );
    };
    show(
        "instructions/conflict",
        serde_json::json!({"sections": "", "spec": source.outline(), "question": "Is it?", "reply": "Yes."}),
    );
    show("spec/value-augment", serde_json::json!({"sections": sections, "words": 120}));
    show("spec/rule-augment", serde_json::json!({"sections": sections, "words": 120}));
}
