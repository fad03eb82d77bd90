//! `/v1/files`: uploads, and what batches leave behind.

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::front::Incoming;
use super::{Good, Reply, multipart};
use crate::batch::Stored;
use crate::wire::Problem;

pub(super) fn serve(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    let batches = &incoming.state.batches;
    let find =
        |id: &str| batches.file(id).ok_or_else(|| Problem::NotFound(format!("No such File object: {id}")));
    match (&incoming.method, &incoming.parts[1..]) {
        (&Method::POST, []) => upload(incoming),
        (&Method::GET, [id]) => Ok(Reply::json(&object(&find(id)?))),
        (&Method::GET, [id, "content"]) => Ok(Reply::Good(Good {
            body: find(id)?.content,
            content_type: "application/octet-stream",
            results_of: batches.of_file(id),
        })),
        (&Method::DELETE, [id]) => {
            find(id)?;
            let deleted = batches.forget(id);
            Ok(Reply::json(&json!({"id": id, "object": "file", "deleted": deleted})))
        }
        _ => Err(Problem::NoMethod(format!("{} /v1/{}", incoming.method, incoming.parts.join("/")))),
    }
}

fn upload(incoming: &Incoming<'_>) -> Result<Reply, Problem> {
    let content_type = incoming.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let fields =
        multipart::parse(content_type.unwrap_or_default(), &incoming.body).map_err(Problem::Malformed)?;
    let field = |name: &str| fields.iter().find(|field| field.name == name);
    let file = field("file").ok_or(Problem::Missing("file"))?;
    let purpose = field("purpose").ok_or(Problem::Missing("purpose"))?;
    let purpose = String::from_utf8_lossy(&purpose.content).into_owned();
    if !matches!(purpose.as_str(), "batch" | "assistants" | "fine-tune" | "vision" | "user_data" | "evals") {
        return Err(Problem::Invalid("purpose", format!("`{purpose}` is not a purpose; use batch")));
    }
    let name = file.file_name.clone().unwrap_or_else(|| "upload".to_owned());
    let stored = incoming.state.batches.store(name, purpose, file.content.clone(), incoming.number);
    Ok(Reply::json(&object(&stored)))
}

fn object(file: &Stored) -> Value {
    json!({
        "id": file.id,
        "object": "file",
        "bytes": file.content.len(),
        "created_at": file.created,
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": null,
        "expires_at": null,
    })
}
