//! The server over real connections, with models small enough to have at once.
#![allow(clippy::unwrap_used)]

use llm::Secret;
use model::{
    Adapter, ChatTemplate, Config, Example, Folder, Limits, LoraShape, Message, Network, Runner, Sampling,
    Target, Task, Tokenizer, Weights,
};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use whyfirst_serve::{Engine, Line, Running, Server, Settings, Source, Status};

const TEMPLATE: &str = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}\
    {% if add_generation_prompt %}[{{ who or 'assistant' }}]{% endif %}";

/// A model of random weights that reads and writes bytes, and never ends by itself.
fn folder(seed: u64, template: bool) -> Folder {
    let printable = |byte: u32| (33..=126).contains(&byte) || (161..=172).contains(&byte) || byte >= 174;
    let mut others = 0;
    let vocabulary: Map<String, Value> = (0..256u32)
        .map(|byte| {
            let code = if printable(byte) { byte } else { 256 + others };
            others += u32::from(!printable(byte));
            (char::from_u32(code).unwrap().to_string(), json!(byte))
        })
        .collect();
    let byte_level =
        json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false });
    let tokenizer = json!({
        "added_tokens": [], "pre_tokenizer": byte_level, "decoder": byte_level,
        "model": { "type": "BPE", "vocab": vocabulary, "merges": [] },
    });
    let tokenizer = Tokenizer::new(tokenizer.to_string(), Value::Null, Path::new("tokenizer.json")).unwrap();
    let config = Config::from_json(&json!({
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
        "vocab_size": 256, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 20_000,
        "rope_theta": 10000.0, "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
    }));
    let config = config.unwrap();
    let mut weights = Weights::random(&config, seed);
    // Far from uniform, as trained models are.
    weights.flat.iter_mut().for_each(|x| *x *= 3.0);
    let template = template.then(|| ChatTemplate::new(TEMPLATE.into(), &tokenizer).unwrap());
    Folder::new(config, weights, tokenizer, template)
}

fn sources() -> Vec<(String, Source)> {
    vec![
        ("base".into(), Source::Here(Arc::new(folder(1, true)))),
        ("why/first/0".into(), Source::Here(Arc::new(folder(2, true)))),
        ("plain".into(), Source::Here(Arc::new(folder(3, false)))),
    ]
}

struct Site {
    running: Running,
    client: reqwest::Client,
    lines: Arc<Mutex<Vec<Line>>>,
}

fn site(settings: Settings, sources: Vec<(String, Source)>) -> Site {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lines: Arc<Mutex<Vec<Line>>> = Arc::default();
    let kept = lines.clone();
    let sink = Arc::new(move |line: &Line| kept.lock().unwrap().push(line.clone()));
    let running = Server::start(Settings { threads: 2, ..settings }, sources, sink).unwrap();
    Site { running, client: reqwest::Client::builder().no_proxy().build().unwrap(), lines }
}

impl Site {
    fn request(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/{path}", self.running.base_url());
        self.client.post(url).header("content-type", "application/json").body(body.to_string())
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.request(path, body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    async fn ok(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// The events of a stream, the last of which says that it is done.
    async fn stream(&self, path: &str, body: &Value) -> Vec<Value> {
        let text = self.request(path, body).send().await.unwrap().text().await.unwrap();
        let mut events: Vec<&str> = text.split("\n\n").filter(|event| !event.is_empty()).collect();
        assert_eq!(events.pop(), Some("data: [DONE]"), "{text}");
        events
            .iter()
            .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
            .collect()
    }

    async fn until(&self, what: impl Fn(&Running) -> bool) {
        let started = Instant::now();
        while !what(&self.running) {
            assert!(started.elapsed() < Duration::from_secs(20), "it does not come to that");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn chat(model: &str, text: &str, more: Value) -> Value {
    let mut body = json!({
        "model": model, "messages": [{ "role": "user", "content": text }], "seed": 7, "max_tokens": 40,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn said(events: &[Value]) -> String {
    events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
}

#[tokio::test]
async fn models_are_listed_by_names_that_may_have_slashes() {
    let site = site(Settings::default(), sources());
    let get = async |path: &str| {
        let url = format!("{}/{path}", site.running.base_url());
        let response = site.client.get(url).send().await.unwrap();
        (response.status().as_u16(), serde_json::from_str::<Value>(&response.text().await.unwrap()).unwrap())
    };
    let (status, list) = get("models").await;
    let names: Vec<&str> =
        list["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert_eq!((status, names), (200, vec!["base", "why/first/0", "plain"]));
    assert_eq!(get("models/why/first/0").await.1["id"], "why/first/0");
    let (status, error) = get("models/nobody").await;
    assert_eq!((status, &error["error"]["code"]), (404, &json!("model_not_found")));
    let (status, error) = get("embeddings").await;
    assert_eq!((status, &error["error"]["code"]), (404, &json!("unknown_url")));
    assert_eq!(get("../health").await.0, 200);
}

#[tokio::test]
async fn a_chat_is_answered_whole_or_in_pieces_with_the_same_words() {
    let site = site(Settings::default(), sources());
    let whole = site.ok("chat/completions", &chat("base", "Hello", json!({}))).await;
    assert_eq!(whole["object"], "chat.completion");
    assert_eq!((&whole["model"], &whole["choices"][0]["index"]), (&json!("base"), &json!(0)));
    let message = &whole["choices"][0]["message"];
    let text = message["content"].as_str().unwrap();
    assert!(message["role"] == "assistant" && !text.is_empty());
    assert_eq!(whole["choices"][0]["finish_reason"], "length");
    // "[user]Hello[assistant]", a token a byte.
    assert_eq!(whole["usage"], json!({ "prompt_tokens": 22, "completion_tokens": 40, "total_tokens": 62 }));

    let asked = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let events = site.stream("chat/completions", &chat("base", "Hello", asked)).await;
    assert_eq!(said(&events), text);
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    let (usage, last) = (&events[events.len() - 1], &events[events.len() - 2]);
    assert_eq!((&usage["choices"], &usage["usage"]), (&json!([]), &whole["usage"]));
    assert_eq!(last["choices"][0]["finish_reason"], "length");
    assert!(
        events.len() > 20
            && events.iter().all(|e| e["object"] == "chat.completion.chunk" && e["id"] == events[0]["id"])
    );

    // Another seed says something else; so does another model, another word, another speaker.
    for other in [
        chat("base", "Hello", json!({ "seed": 8 })),
        chat("why/first/0", "Hello", json!({})),
        chat("base", "Hullo", json!({})),
        chat("base", "Hello", json!({ "chat_template_kwargs": { "who": "Quill" } })),
    ] {
        assert_ne!(
            site.ok("chat/completions", &other).await["choices"][0]["message"]["content"],
            text,
            "{other}"
        );
    }
    // A list of parts is their text, and the developer is the system by another name.
    let parts = json!([
        { "role": "developer", "content": [{ "type": "text", "text": "Be " }, { "type": "text", "text": "brief." }] },
        { "role": "user", "content": "Hello" },
    ]);
    let plain = json!([{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Hello" }]);
    let of = async |messages: Value| {
        site.ok("chat/completions", &chat("base", "", json!({ "messages": messages }))).await
    };
    assert_eq!(of(parts).await["choices"], of(plain).await["choices"]);
}

#[tokio::test]
async fn several_answers_have_seeds_of_their_own() {
    let site = site(Settings::default(), sources());
    let three = site.ok("chat/completions", &chat("base", "Hello", json!({ "n": 3 }))).await;
    for (i, choice) in three["choices"].as_array().unwrap().iter().enumerate() {
        let alone = site.ok("chat/completions", &chat("base", "Hello", json!({ "seed": 7 + i }))).await;
        assert_eq!(choice["message"], alone["choices"][0]["message"]);
        assert_eq!(choice["index"], i);
    }
    assert_eq!(three["usage"]["completion_tokens"], 120);
    let streamed =
        site.stream("chat/completions", &chat("base", "Hello", json!({ "n": 3, "stream": true }))).await;
    for (i, choice) in three["choices"].as_array().unwrap().iter().enumerate() {
        let own = streamed.iter().map(|event| &event["choices"][0]).filter(|choice| choice["index"] == i);
        let text: String = own.filter_map(|choice| choice["delta"]["content"].as_str()).collect();
        assert_eq!(choice["message"]["content"], text.as_str());
    }
}

#[tokio::test]
async fn an_answer_ends_before_a_stop_string() {
    let site = site(Settings::default(), sources());
    let asked = |stop: Value| chat("base", "Hello", json!({ "stop": stop, "max_tokens": 60 }));
    let whole = site.ok("chat/completions", &asked(Value::Null)).await;
    let text = whole["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    let characters: Vec<char> = text.chars().collect();
    let stop: String = characters[12..15].iter().collect();
    let expected = &text[..text.find(&stop).unwrap()];
    let stopped = site.ok("chat/completions", &asked(json!(["never said", stop]))).await;
    assert_eq!(stopped["choices"][0]["message"]["content"], expected);
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
    assert!(stopped["usage"]["completion_tokens"].as_u64().unwrap() < 60);
    let mut streamed = asked(json!(stop));
    streamed["stream"] = true.into();
    let events = site.stream("chat/completions", &streamed).await;
    assert_eq!(said(&events), expected);
    assert_eq!(events.last().unwrap()["choices"][0]["finish_reason"], "stop");
    site.until(|running| running.under_way() == 0).await;
}

#[tokio::test]
async fn log_probabilities_are_the_models_own() {
    let site = site(Settings::default(), sources());
    let asked = json!({ "logprobs": true, "top_logprobs": 3, "temperature": 0, "max_tokens": 10 });
    let answer = site.ok("chat/completions", &chat("base", "Hello", asked.clone())).await;
    let content = answer["choices"][0]["logprobs"]["content"].as_array().unwrap();
    assert_eq!(content.len(), 10);
    for entry in content {
        // Greedy: the likeliest is the one that was taken.
        assert_eq!(entry["top_logprobs"][0]["logprob"], entry["logprob"]);
        assert_eq!(entry["top_logprobs"].as_array().unwrap().len(), 3);
        assert!(entry["logprob"].as_f64().unwrap() <= 0.0 && entry["bytes"].as_array().unwrap().len() == 1);
    }
    let mut streamed = chat("base", "Hello", asked);
    streamed["stream"] = true.into();
    let events = site.stream("chat/completions", &streamed).await;
    let pieces = events.iter().filter_map(|event| event["choices"][0]["logprobs"]["content"].as_array());
    assert_eq!(&pieces.flatten().cloned().collect::<Vec<_>>(), content);

    // A prompt's own tokens, as programs that score options ask for them.
    let prompt = "The quick brown fox";
    let body = json!({ "model": "plain", "prompt": prompt, "echo": true, "logprobs": 1, "max_tokens": 1, "temperature": 0 });
    let answer = site.ok("completions", &body).await;
    let scores = &answer["choices"][0]["logprobs"];
    let text = answer["choices"][0]["text"].as_str().unwrap();
    assert!(text.starts_with(prompt));
    let (tokens, own) = (scores["tokens"].as_array().unwrap(), scores["token_logprobs"].as_array().unwrap());
    assert_eq!((tokens.len(), own.len()), (prompt.len() + 1, prompt.len() + 1));
    assert!(own[0].is_null() && scores["top_logprobs"][0].is_null());
    assert_eq!(scores["text_offset"][5], 5);
    let folder = folder(3, false);
    let rope = Network::rope_table(&folder.config, 100);
    let row = Example { tokens: prompt.bytes().map(u32::from).collect(), loss: vec![true; prompt.len()] };
    let (nll, _) = model::nll(&folder.network(None, &rope), &[row], 1)[0];
    let sum: f64 = own[1..prompt.len()].iter().map(|x| x.as_f64().unwrap()).sum();
    assert!((sum + nll).abs() < 1e-3, "{sum} {nll}");
    // The same as tokens, scored and not continued.
    let tokens: Vec<u32> = prompt.bytes().map(u32::from).collect();
    let body =
        json!({ "model": "plain", "prompt": [tokens, tokens], "echo": true, "logprobs": 1, "max_tokens": 0 });
    let answer = site.ok("completions", &body).await;
    assert_eq!(answer["choices"].as_array().unwrap().len(), 2);
    for choice in answer["choices"].as_array().unwrap() {
        assert_eq!(choice["text"], prompt);
        assert_eq!(choice["logprobs"]["token_logprobs"].as_array().unwrap(), &own[..prompt.len()]);
    }
    assert_eq!(answer["usage"]["prompt_tokens"], 2 * prompt.len());
}

#[tokio::test]
async fn what_cannot_be_answered_is_an_error_in_the_apis_own_shape() {
    let site = site(Settings { body_bytes: 100_000, choices: 4, ..Settings::default() }, sources());
    let long = "x".repeat(30_000);
    for (path, body, status, param, code) in [
        ("chat/completions", chat("nobody", "Hi", json!({})), 404, "model", "model_not_found"),
        ("chat/completions", chat("plain", "Hi", json!({})), 400, "model", ""),
        ("chat/completions", chat("base", &long, json!({})), 400, "messages", "context_length_exceeded"),
        (
            "chat/completions",
            chat("base", "Hi", json!({ "max_tokens": 30_000 })),
            400,
            "messages",
            "context_length_exceeded",
        ),
        ("chat/completions", chat("base", "Hi", json!({ "messages": [] })), 400, "messages", ""),
        (
            "chat/completions",
            chat("base", "Hi", json!({ "messages": [{ "role": "king", "content": "" }] })),
            400,
            "messages.0.role",
            "",
        ),
        (
            "chat/completions",
            chat(
                "base",
                "Hi",
                json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url" }] }] }),
            ),
            400,
            "messages.0.content",
            "",
        ),
        ("chat/completions", chat("base", "Hi", json!({ "temperature": "hot" })), 400, "temperature", ""),
        ("chat/completions", chat("base", "Hi", json!({ "temperature": 3 })), 400, "temperature", ""),
        ("chat/completions", chat("base", "Hi", json!({ "n": 5 })), 400, "n", ""),
        ("chat/completions", chat("base", "Hi", json!({ "max_tokens": 0 })), 400, "max_tokens", ""),
        (
            "chat/completions",
            chat("base", "Hi", json!({ "stop": ["a", "b", "c", "d", "e"] })),
            400,
            "stop",
            "",
        ),
        ("chat/completions", chat("base", "Hi", json!({ "top_logprobs": 2 })), 400, "top_logprobs", ""),
        ("chat/completions", chat("base", "Hi", json!({ "logit_bias": { "x": 1 } })), 400, "logit_bias", ""),
        (
            "chat/completions",
            chat("base", "Hi", json!({ "tools": [{ "type": "function" }] })),
            400,
            "tools",
            "",
        ),
        (
            "chat/completions",
            chat("base", "Hi", json!({ "response_format": { "type": "json_object" } })),
            400,
            "response_format",
            "",
        ),
        ("completions", json!({ "model": "base", "prompt": "" }), 400, "prompt", ""),
        ("completions", json!({ "model": "base", "prompt": [[1, 2], "a", 3] }), 400, "prompt", ""),
        ("completions", json!({ "model": "base", "prompt": vec!["a"; 400] }), 400, "prompt", ""),
        ("completions", json!({ "model": "base", "prompt": [1, 256] }), 400, "prompt", ""),
        ("completions", json!({ "model": "base", "prompt": "a", "max_tokens": 0 }), 400, "max_tokens", ""),
        ("completions", json!({ "model": "base", "prompt": "a", "logprobs": 6 }), 400, "logprobs", ""),
        ("completions", json!({ "prompt": "a" }), 400, "model", ""),
        ("completions", json!([1]), 400, "", ""),
        ("completions", json!({ "model": "base", "prompt": "x".repeat(200_000) }), 413, "", ""),
    ] {
        let (found, answer) = site.post(path, &body).await;
        let shown: String = body.to_string().chars().take(200).collect();
        let error = &answer["error"];
        let text = |name: &str| error[name].as_str().unwrap_or("");
        assert_eq!((found, text("param")), (status, param), "{shown}: {answer}");
        let of_a_field = ["invalid_value", "invalid_type", "unsupported_parameter"].contains(&text("code"));
        let expected = if param.is_empty() { text("code").is_empty() } else { of_a_field };
        assert!(text("code") == code || code.is_empty() && expected, "{shown}: {answer}");
        assert!(error["type"] == "invalid_request_error" && text("message").len() > 10, "{answer}");
    }
    let url = format!("{}/completions", site.running.base_url());
    let broken = site.client.post(&url).body("{\"model\": ").send().await.unwrap();
    assert_eq!(broken.status().as_u16(), 400);
    assert!(broken.text().await.unwrap().contains("not JSON"));
    assert_eq!(site.client.get(&url).send().await.unwrap().status().as_u16(), 404);
    // What is neutral or unknown is no fault.
    let fine = json!({ "tools": [], "response_format": { "type": "text" }, "user": "u", "store": false, "suffix": null, "top_k": -1 });
    site.ok("chat/completions", &chat("base", "Hi", fine)).await;
    site.until(|running| running.under_way() == 0).await;
    let lines = site.lines.lock().unwrap();
    assert!(lines.len() >= 27 && lines.iter().all(|line| line.status != Status::Left));
}

#[tokio::test]
async fn sixty_four_streams_at_once_say_what_each_says_alone() {
    let site = Arc::new(site(Settings { active: 64, ..Settings::default() }, sources()));
    let body = |i: usize| {
        let model = ["base", "why/first/0"][i % 2];
        chat(
            model,
            &format!("Question {}", i / 3),
            json!({ "seed": i, "stream": true, "max_tokens": 30 + i }),
        )
    };
    let streams = (0..64).map(|i| {
        let site = site.clone();
        tokio::spawn(async move { said(&site.stream("chat/completions", &body(i)).await) })
    });
    let mut together = Vec::new();
    for stream in streams.collect::<Vec<_>>() {
        together.push(stream.await.unwrap());
    }
    for (i, text) in together.iter().enumerate().step_by(7) {
        assert_eq!(&said(&site.stream("chat/completions", &body(i)).await), text, "stream {i}");
    }
    assert!(together.iter().all(|text| !text.is_empty()));
}

#[tokio::test]
async fn a_client_that_leaves_frees_its_place_and_too_many_are_sent_away() {
    let site = site(Settings { active: 1, queue: 1, ..Settings::default() }, sources());
    let endless = json!({ "max_tokens": 19_000, "stream": true });
    let mut first =
        site.request("chat/completions", &chat("base", "Hi", endless.clone())).send().await.unwrap();
    assert!(first.chunk().await.unwrap().is_some());
    let second = site.request("chat/completions", &chat("base", "Hi", endless)).send().await.unwrap();
    assert_eq!(site.running.under_way(), 2);
    let third = site.request("chat/completions", &chat("base", "Hi", json!({}))).send().await.unwrap();
    assert_eq!((third.status().as_u16(), third.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    drop(second);
    site.until(|running| running.under_way() == 1).await;
    drop(first);
    site.until(|running| running.under_way() == 0).await;
    site.ok("chat/completions", &chat("base", "Hi", json!({}))).await;
    let lines = site.lines.lock().unwrap();
    assert_eq!(lines.iter().filter(|line| line.status == Status::Left).count(), 2);
    let last = lines.last().unwrap();
    assert_eq!((last.status, last.prompt_tokens, last.new_tokens), (Status::Answered(200), 19, 40));
}

#[tokio::test]
async fn a_server_that_has_a_key_wants_it() {
    let site = site(Settings { key: Some(Secret::new("sk-why")), ..Settings::default() }, sources());
    let body = chat("base", "Hi", json!({}));
    let with = async |key: &str| {
        let response =
            site.request("chat/completions", &body).header("authorization", format!("Bearer {key}"));
        let response = response.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(with("sk-why").await.0, 200);
    let (status, text) = with("sk-wrong").await;
    assert!(status == 401 && text.contains("\"invalid_api_key\"") && !text.contains("sk-"), "{text}");
    assert_eq!(site.post("chat/completions", &body).await.0, 401);
    let everywhere = Settings { address: "0.0.0.0:0".parse().unwrap(), ..Settings::default() };
    let refused = Server::start(everywhere, sources(), Arc::new(|_: &Line| {})).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("WHYFIRST_SERVE_KEY"), "{refused}");
}

#[tokio::test]
async fn whoever_is_refused_while_sending_hears_why() {
    let key = Some(Secret::new("sk-why"));
    let site = site(Settings { key, body_bytes: 100_000, ..Settings::default() }, sources());
    // More than all buffers on the way hold.
    let long = chat("base", &"x".repeat(16 << 20), json!({}));
    for (path, key, status) in [
        ("chat/completions", "wrong", 401),
        ("chat/completions", "sk-why", 413),
        ("elsewhere", "sk-why", 404),
    ] {
        let sent = site.request(path, &long).header("authorization", format!("Bearer {key}")).send().await;
        assert_eq!(sent.unwrap().status().as_u16(), status);
    }
}

#[tokio::test]
async fn what_is_under_way_finishes_and_nothing_new_begins() {
    let site = site(Settings::default(), sources());
    let asked = json!({ "max_tokens": 1500, "stream": true });
    let mut stream = site.request("chat/completions", &chat("base", "Hi", asked)).send().await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some());
    site.running.finish();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // The port is closed, or an open connection is told.
    match site.request("chat/completions", &chat("base", "Hi", json!({}))).send().await {
        Ok(refused) => assert_eq!(refused.status().as_u16(), 503),
        Err(error) => assert!(error.is_connect() || error.is_request(), "{error}"),
    }
    let mut rest = String::new();
    while let Some(chunk) = stream.chunk().await.unwrap() {
        rest.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(rest.ends_with("data: [DONE]\n\n"));
    site.running.wait();
}

#[tokio::test]
async fn one_that_takes_too_long_is_cut_off() {
    let site = site(Settings { grace: Duration::from_millis(100), ..Settings::default() }, sources());
    let asked = json!({ "max_tokens": 19_000, "stream": true });
    let mut stream = site.request("chat/completions", &chat("base", "Hi", asked)).send().await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some());
    site.running.finish();
    let started = Instant::now();
    let mut cut = false;
    while !cut {
        cut = !matches!(stream.chunk().await, Ok(Some(_)));
    }
    site.running.wait();
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn adapters_share_their_base_and_memory_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let base = folder(1, true);
    let shape = LoraShape { rank: 4, alpha: 8.0, targets: Target::ALL.to_vec() };
    let mut sources = vec![("base".to_owned(), Source::Here(Arc::new(base.clone())))];
    for seed in 0..3u64 {
        let mut adapter = Adapter::new(&base.config, shape.clone(), seed);
        let mut bits = seed;
        for x in &mut adapter.flat {
            bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *x += ((bits >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 0.5;
        }
        let path = dir.path().join(format!("adapter-{seed}"));
        // The last one says that it was trained on other weights: then the merged folder counts.
        let on = if seed == 2 { store::hash_bytes(b"others") } else { base.weights.hash() };
        adapter.save(&base.config, None, Some(on), &path).unwrap();
        let merged = dir.path().join(format!("merged-{seed}"));
        let mut whole = base.clone();
        adapter.merge_into(&base.config, &mut whole.weights).unwrap();
        whole.save(&merged).unwrap();
        let adapter = Source::Adapter { base: "base".into(), adapter: path, merged: Some(merged.clone()) };
        sources.push((format!("adapter-{seed}"), adapter));
        sources.push((format!("merged-{seed}"), Source::Folder(merged)));
    }
    // Room for one model.
    let site = site(Settings { model_bytes: 1, ..Settings::default() }, sources);
    let say = async |model: String| {
        let body = chat(&model, "Hello", json!({ "temperature": 0 }));
        site.ok("chat/completions", &body).await["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut all = vec![say("base".into()).await];
    for seed in 0..3 {
        let adapted = say(format!("adapter-{seed}")).await;
        assert_eq!(adapted, say(format!("merged-{seed}")).await, "adapter {seed}");
        all.push(adapted);
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4, "each says something else");
    let missing = Source::Folder(dir.path().join("nothing"));
    let lone = self::site(Settings::default(), vec![("gone".into(), missing)]);
    let (status, error) = lone.post("chat/completions", &chat("gone", "Hi", json!({}))).await;
    assert!(status == 500 && error["error"]["message"].as_str().unwrap().contains("config.json"), "{error}");
}

#[tokio::test]
async fn a_step_that_breaks_down_ends_its_own_texts_and_no_others() {
    let limits = Limits { threads: 1, active: 4, cache_bytes: 1 << 30 };
    let engine = Engine::start(limits, 4).unwrap();
    let runner = Runner::new(Arc::new(folder(1, true)), 1);
    // Nobody who loads an adapter through the catalogue gets one of another shape: products refuse it by a panic.
    let other = Config { hidden_size: 8, ..runner.folder().config.clone() };
    let shape = LoraShape { rank: 4, alpha: 8.0, targets: Target::ALL.to_vec() };
    let broken = runner.with_adapter(Adapter::new(&other, shape, 0));
    let task = || Task {
        prompt: vec![1, 2, 3],
        most: 5,
        sampling: Sampling::default(),
        ends: vec![],
        alternatives: None,
        prompt_scores: false,
    };
    let mut events = engine.add(&broken, vec![task()]).await.unwrap();
    assert!(events.next().await.is_none(), "nothing comes of it, and nobody waits for it for ever");
    let mut events = engine.add(&runner, vec![task()]).await.unwrap();
    let mut count = 0;
    while events.next().await.is_some() {
        count += 1;
    }
    assert_eq!(count, 6, "five tokens and an end");
}

#[tokio::test]
async fn a_page_from_elsewhere_may_not_ask() {
    let site = site(Settings::default(), sources());
    let body = chat("base", "Hi", json!({}));
    let response =
        site.request("chat/completions", &body).header("origin", "https://evil.example").send().await;
    assert_eq!(response.unwrap().status().as_u16(), 403);
    let response =
        site.request("chat/completions", &body).header("host", "evil.example").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 403);
}

/// A message is what the template makes of it: nothing is added.
#[test]
fn the_template_of_these_tests_is_plain() {
    let message = Message { role: "user".into(), name: None, content: "Hello".into() };
    let text = folder(1, true).template.unwrap().render(&[message], true, None).unwrap();
    assert_eq!(text, "[user]Hello[assistant]");
}
