//! A request: the bytes of a call, and the hash that it, and its answer, are known by.

use std::sync::Arc;

use bytes::Bytes;
use ledger::{Attempt, Dollars};
use store::{Hash, IdBuilder, hash_bytes};

use crate::call::Call;
use crate::gate::Need;
use crate::lane::Lane;
use crate::protocol;
use crate::settings::Model;

/// What is sent for a call, again and again if need be.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) hash: Hash,
    pub(crate) lane: Arc<Lane>,
    pub(crate) role: &'static str,
    pub(crate) corpus: String,
    pub(crate) path: Arc<str>,
    pub(crate) template: Hash,
    pub(crate) sample: u64,
    pub(crate) body: Bytes,
    pub(crate) body_hash: Hash,
    pub(crate) worst: Dollars,
    pub(crate) need: Need,
}

/// The hash of (api, base URL, model, body, sample).
pub(crate) fn hash(model: &Model, body: Hash, sample: u64) -> Hash {
    IdBuilder::new("request")
        .text("api", model.protocol.name())
        .text("base", model.base_in_hash())
        .text("model", &model.name)
        .hash("body", body)
        .number("sample", sample)
        .finish()
}

/// What a request goes by in a batch: providers take up to 64 letters and digits.
pub(crate) fn custom_id(hash: Hash) -> String {
    hash.to_string()[..40].to_owned()
}

impl Request {
    pub(crate) fn new(call: Call, lane: &Arc<Lane>) -> Request {
        let model = &lane.model;
        let body = protocol::body(model, &call.prompt);
        let body_hash = hash_bytes(&body);
        Request {
            hash: hash(model, body_hash, call.sample),
            lane: Arc::clone(lane),
            role: call.role.name(),
            path: call.path.into(),
            corpus: call.corpus,
            template: call.template,
            sample: call.sample,
            body: body.into(),
            body_hash,
            worst: model.worst_case(&call.prompt),
            need: Need {
                input: model.input_tokens(&call.prompt),
                output: u64::from(model.output_limit(&call.prompt)),
            },
        }
    }

    /// Its row in the ledger.
    pub(crate) fn attempt(&self, number: u32) -> Attempt {
        Attempt {
            request: self.hash,
            corpus: self.corpus.clone(),
            path: self.path.to_string(),
            role: self.role,
            api: self.lane.model.protocol.name(),
            model: self.lane.model.name.clone(),
            template: self.template,
            sample: self.sample,
            number,
            reserved: self.worst,
            body: self.body_hash,
        }
    }
}
