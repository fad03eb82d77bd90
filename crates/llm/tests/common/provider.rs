//! A provider of batches, in both protocols, for as long as a test lasts.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::common::{Arrived, Reply, error, say};

/// A call in a batch.
#[derive(Clone, Debug)]
pub struct Entry {
    pub custom_id: String,
    pub params: Value,
}

/// A batch that arrived.
#[derive(Clone, Debug)]
pub struct Kept {
    pub id: String,
    pub metadata: Value,
    pub entries: Vec<Entry>,
    pub polls: usize,
}

/// What the provider has, and how it misbehaves.
#[derive(Debug, Default)]
pub struct Shelf {
    pub batches: Vec<Kept>,
    files: Vec<Vec<Entry>>,
    /// How many times it says that it is still working.
    pub patience: usize,
    /// So many batches are taken in, and the answer is cut.
    pub cut_after_taking: usize,
    /// So many batches are not taken in, and the answer is cut.
    pub cut_before_taking: usize,
    /// The first entry of so many batches expires.
    pub expire: usize,
    /// Every batch is refused after a look at it.
    pub refuse: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Provider(Arc<Mutex<Shelf>>);

impl Provider {
    pub fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap()
    }

    pub fn handle(&self, request: &Arrived) -> Reply {
        let mut shelf = self.shelf();
        let path = request.path.split('?').next().unwrap();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["v1", "messages", "batches"]) => {
                let batch = request.json();
                let entries = batch["requests"].as_array().unwrap().iter().map(|entry| Entry {
                    custom_id: entry["custom_id"].as_str().unwrap().to_owned(),
                    params: entry["params"].clone(),
                });
                shelf.take(entries.collect(), Value::Null)
            }
            ("GET", ["v1", "messages", "batches"] | ["v1", "batches"]) => shelf.list(parts.len() == 3),
            ("GET", ["v1", "messages", "batches", id]) => shelf.state(id, true),
            ("GET", ["v1", "messages", "batches", id, "results"]) => shelf.results(id, true),
            ("POST", ["v1", "files"]) => {
                assert!(request.text().contains("name=\"purpose\"\r\n\r\nbatch"));
                let lines = request.text();
                let lines = lines.lines().filter(|line| line.starts_with("{\"custom_id\""));
                let entries = lines.map(|line| {
                    let line: Value = serde_json::from_str(line).unwrap();
                    assert_eq!(
                        (&line["method"], &line["url"]),
                        (&json!("POST"), &json!("/v1/chat/completions"))
                    );
                    Entry {
                        custom_id: line["custom_id"].as_str().unwrap().to_owned(),
                        params: line["body"].clone(),
                    }
                });
                shelf.files.push(entries.collect());
                say(json!({"id": format!("file-{}", shelf.files.len() - 1)}).to_string())
            }
            ("POST", ["v1", "batches"]) => {
                let batch = request.json();
                assert_eq!(batch["completion_window"], "24h");
                let file: usize = batch["input_file_id"].as_str().unwrap()[5..].parse().unwrap();
                let entries = shelf.files[file].clone();
                shelf.take(entries, batch["metadata"].clone())
            }
            ("GET", ["v1", "batches", id]) => shelf.state(id, false),
            ("GET", ["v1", "files", file, "content"]) => {
                shelf.results(file.strip_prefix("out-").unwrap_or(file), false)
            }
            _ => error(404),
        }
    }
}

impl Shelf {
    fn take(&mut self, entries: Vec<Entry>, metadata: Value) -> Reply {
        if self.cut_before_taking > 0 {
            self.cut_before_taking -= 1;
            return Reply::Cut;
        }
        let id = format!("batch_{}", self.batches.len());
        self.batches.push(Kept { id: id.clone(), metadata, entries, polls: 0 });
        if self.cut_after_taking > 0 {
            self.cut_after_taking -= 1;
            return Reply::Cut;
        }
        say(json!({ "id": id }).to_string())
    }

    fn list(&self, anthropic: bool) -> Reply {
        let data: Vec<Value> = self
            .batches
            .iter()
            .map(|batch| {
                if anthropic {
                    json!({"id": batch.id, "archived_at": null, "request_counts": {
                        "processing": 0, "succeeded": batch.entries.len(), "errored": 0, "canceled": 0, "expired": 0}})
                } else {
                    json!({"id": batch.id, "metadata": batch.metadata})
                }
            })
            .rev()
            .collect();
        say(json!({"data": data, "has_more": false, "last_id": null}).to_string())
    }

    fn state(&mut self, id: &str, anthropic: bool) -> Reply {
        let (patience, refuse) = (self.patience, self.refuse);
        let Some(batch) = self.batches.iter_mut().find(|batch| batch.id == id) else { return error(404) };
        batch.polls += 1;
        let done = batch.polls > patience;
        let value = match (anthropic, done) {
            (true, _) => json!({"id": id, "processing_status": if done { "ended" } else { "in_progress" },
                // Not where the results are: nobody should send a key there.
                "results_url": "http://127.0.0.1:1/steal"}),
            (false, true) if refuse => json!({"id": id, "status": "failed",
                "errors": {"data": [{"message": "bad line"}]}}),
            (false, true) => json!({"id": id, "status": "completed", "output_file_id": format!("out-{id}"),
                "error_file_id": null}),
            (false, false) => json!({"id": id, "status": "in_progress", "output_file_id": null}),
        };
        say(value.to_string())
    }

    /// In the wrong order, with a result that nobody asked for, and one twice.
    fn results(&mut self, id: &str, anthropic: bool) -> Reply {
        let Some(batch) = self.batches.iter().find(|batch| batch.id == id).cloned() else {
            return error(404);
        };
        let mut lines = Vec::new();
        let answer = |custom_id: &str, text: &str| {
            if anthropic {
                json!({"custom_id": custom_id, "result": {"type": "succeeded", "message": {
                    "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
                    "usage": {"input_tokens": 10, "output_tokens": 5}}}})
            } else {
                json!({"custom_id": custom_id, "error": null, "response": {"status_code": 200, "body": {
                    "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 10, "completion_tokens": 5}}}})
            }
        };
        for (n, entry) in batch.entries.iter().enumerate() {
            if n == 0 && self.expire > 0 {
                self.expire -= 1;
                lines.push(if anthropic {
                    json!({"custom_id": entry.custom_id, "result": {"type": "expired"}})
                } else {
                    json!({"custom_id": entry.custom_id, "response": null, "error": {"code": "batch_expired", "message": "late"}})
                });
                continue;
            }
            let messages = entry.params["messages"].as_array().unwrap();
            let asked = messages.last().unwrap()["content"].as_str().unwrap();
            lines.push(answer(&entry.custom_id, &format!("to {asked}")));
        }
        lines.reverse();
        lines.insert(0, answer("nobody", "stray"));
        lines.push(answer(&batch.entries.last().unwrap().custom_id, "a second one"));
        say(lines.iter().map(|line| format!("{line}\n")).collect())
    }
}
