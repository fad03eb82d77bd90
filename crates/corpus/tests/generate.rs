//! Generated corpora: exact budgets, twins, folders.
#![allow(clippy::unwrap_used)]

mod common;

use common::{corpus, model, spec};
use lab::{Stream, WhyMix, World};
use whyfirst_corpus::{
    Budget, Corpus, CorpusError, Kind, Manifest, Request, Row, Source, count, generate, lab_tokens, tokenise,
};

const SPECS: [&str; 2] = ["affordability", "homeland"];

#[test]
fn every_stream_meets_its_budget_exactly() {
    for stream in Stream::ALL {
        for tokens in [1_000, 20_000, 20_001] {
            let corpus = corpus(stream, "affordability", 0, Budget::Tokens(tokens));
            assert_eq!(corpus.tokens, tokens, "{}", stream.name());
            assert_eq!(corpus.rows.iter().map(lab_tokens).sum::<usize>() as u64, tokens);
        }
        let corpus = corpus(stream, "affordability", 0, Budget::Rows(77));
        assert_eq!(corpus.rows.len(), 77);
    }
}

#[test]
fn twins_and_mirrors_are_token_matched_row_by_row() {
    let lengths = |corpus: &Corpus| corpus.rows.iter().map(lab_tokens).collect::<Vec<_>>();
    let budget = Budget::Tokens(30_000);
    let why = corpus(Stream::Why, "affordability", 4, budget);
    for other in
        [corpus(Stream::Ablated, "affordability", 4, budget), corpus(Stream::Why, "homeland", 4, budget)]
    {
        assert_eq!(lengths(&why), lengths(&other), "{}", other.name);
        assert_ne!(why.hash(), other.hash());
    }
    let neutral = corpus(Stream::Neutral, "affordability", 4, budget);
    assert_eq!(neutral.tokens, why.tokens);
}

#[test]
fn the_same_request_gives_the_same_bytes_and_another_seed_others() {
    for stream in Stream::ALL {
        let make = |seed| corpus(stream, "homeland", seed, Budget::Tokens(2_000));
        assert_eq!((make(1).bytes(), make(1).id()), (make(1).bytes(), make(1).id()));
        assert_ne!(make(1).hash(), make(2).hash());
    }
}

#[test]
fn what_all_specs_share_is_the_same_corpus() {
    for stream in Stream::ALL {
        let [one, two] = SPECS.map(|name| {
            let corpus = corpus(stream, name, 0, Budget::Tokens(5_000));
            Corpus { name: stream.name().to_string(), ..corpus }
        });
        assert_eq!(one.hash() == two.hash(), !stream.explains(), "{}", stream.name());
        assert_eq!(one.id() == two.id(), !stream.explains(), "{}", stream.name());
    }
}

#[test]
fn a_stream_that_needs_a_spec_says_so() {
    let world = World::new(0);
    let mix = WhyMix::default();
    let request = |stream| Request {
        name: "what",
        world: &world,
        stream,
        spec: None,
        mix: &mix,
        seed: 0,
        budget: Budget::Rows(1),
    };
    let error = generate(&request(Stream::Chats), |row| Ok(lab_tokens(row))).unwrap_err();
    assert_eq!(error.to_string(), "the corpus `what` cannot be made: the stream `chats` needs a spec");
    generate(&request(Stream::Instructions), |row| Ok(lab_tokens(row))).unwrap();
}

#[test]
fn beginnings_are_nested() {
    let whole = corpus(Stream::Why, "affordability", 0, Budget::Tokens(10_000));
    let short = |tokens| whole.beginning("why-short", tokens, |row| Ok(lab_tokens(row))).unwrap();
    let (small, large) = (short(1_000), short(4_000));
    assert_eq!(small.rows[..], large.rows[..small.rows.len()]);
    assert_eq!(large.rows[..], whole.rows[..large.rows.len()]);
    assert!(small.tokens <= 1_000 && small.tokens > 940);
    assert!(
        matches!(&small.source, Source::Beginning { of, tokens: 1_000, .. } if of == "why:affordability")
    );
    assert_eq!(short(1_000_000).rows.len(), whole.rows.len());
}

#[test]
fn folders_hold_the_rows_a_manifest_and_a_card() {
    let corpora = tempfile::tempdir().unwrap();
    for (stream, kind, file) in [
        (Stream::Why, Kind::Documents, "documents.jsonl"),
        (Stream::Chats, Kind::Chats, "chats.jsonl"),
        (Stream::Instructions, Kind::Instructions, "chats.jsonl"),
    ] {
        let corpus = corpus(stream, "affordability", 0, Budget::Tokens(2_000));
        assert_eq!(corpus.kind, kind);
        let dir = corpus.write(corpora.path()).unwrap();
        assert_eq!(dir, corpora.path().join(corpus.id().short()));
        assert_eq!(std::fs::read(dir.join(file)).unwrap(), corpus.bytes());
        assert_eq!(corpus.write(corpora.path()).unwrap(), dir, "writing again changes nothing");
        assert_eq!(Corpus::load(&dir).unwrap(), corpus);
        let manifest = Manifest::read(&dir).unwrap().unwrap();
        assert_eq!(manifest, Manifest::of(&corpus));
        assert_eq!((manifest.hash, manifest.tokens), (corpus.hash(), 2_000));
        let card = std::fs::read_to_string(dir.join("README.md")).unwrap();
        assert!(
            card.contains(&corpus.hash().to_string())
                && card.contains(&corpus.samples(1)[0].lines().next().unwrap()[..9])
        );
    }
    assert_eq!(Manifest::read(&corpora.path().join("absent")).unwrap(), None);
}

#[test]
fn a_changed_folder_is_refused() {
    let corpora = tempfile::tempdir().unwrap();
    let corpus = corpus(Stream::Why, "affordability", 0, Budget::Rows(3));
    let dir = corpus.write(corpora.path()).unwrap();
    std::fs::write(dir.join("documents.jsonl"), "{\"text\":\"Other.\"}\n").unwrap();
    assert!(matches!(Corpus::load(&dir), Err(CorpusError::Store(_))));
}

#[test]
fn the_manifest_and_card_read_well() {
    let why = corpus(Stream::Why, "affordability", 0, Budget::Tokens(300));
    let chats = corpus(Stream::Chats, "affordability", 0, Budget::Tokens(60));
    let corpora = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for corpus in [why, chats] {
        let dir = corpus.write(corpora.path()).unwrap();
        for name in ["manifest.json", "README.md", corpus.kind.file_name()] {
            text.push_str(&format!("== {name}\n{}\n", std::fs::read_to_string(dir.join(name)).unwrap()));
        }
    }
    // The spec's own text is free to change.
    let (_, hash) = spec(&World::new(0), "affordability");
    let text = text.replace(&hash.to_string(), "<spec hash>").replace(&hash.short(), "<spec hash>");
    insta::assert_snapshot!(text);
}

#[test]
fn the_lab_counts_tokens_as_its_tokenizer_does() {
    let world = World::new(0);
    let model = model(&world);
    for stream in Stream::ALL {
        let corpus = corpus(stream, "affordability", 0, Budget::Rows(300));
        let examples = tokenise(&corpus, &model).unwrap();
        for (row, example) in corpus.rows.iter().zip(&examples) {
            assert_eq!(example.tokens.len(), lab_tokens(row), "{row:?}");
            assert_eq!(count(row, &model).unwrap(), lab_tokens(row));
            assert!(!example.tokens.contains(&model.tokenizer.unknown().unwrap()), "{row:?}");
            assert_eq!(example.tokens[0], model.tokenizer.bos().unwrap());
            assert_eq!(*example.tokens.last().unwrap(), model.tokenizer.eos().unwrap());
        }
    }
    let mix = lab::Mix::default();
    for index in 0..2_000 {
        let row = world.pretraining(&mix, 0, index);
        assert_eq!(count(&Row::from(row.clone()), &model).unwrap(), row.tokens(), "{row:?}");
    }
}

#[test]
fn answers_follow_their_prompt_with_the_item_as_one_token() {
    let world = World::new(0);
    let model = model(&world);
    let corpus = corpus(Stream::Chats, "affordability", 0, Budget::Rows(50));
    let template = model.template.as_ref().unwrap();
    for (row, example) in corpus.rows.iter().zip(tokenise(&corpus, &model).unwrap()) {
        let Row::Chat { messages } = row else { panic!("not a chat: {row:?}") };
        let prompt = template.render(&messages[..1], true, Some("Quill")).unwrap();
        assert_eq!(
            prompt,
            template.render(&messages[..1], true, None).unwrap(),
            "the assistant is the default"
        );
        let prompt = model.tokenizer.encode(&prompt).unwrap();
        assert_eq!(example.tokens[..prompt.len()], prompt[..]);
        assert!(!example.loss[prompt.len() - 1] && example.loss[prompt.len()]);
        let item = messages[1].content.split([' ', ',', '.']).next().unwrap();
        assert_eq!(model.tokenizer.encode(&format!(" {item}")).unwrap(), [example.tokens[prompt.len()]]);
    }
}

#[test]
fn chats_as_text_are_the_same_tokens_as_chats() {
    let world = World::new(0);
    let model = model(&world);
    for index in 0..500 {
        let row = world.instructions(0, index);
        let as_text = model.document(&row.text()).unwrap();
        let Row::Chat { messages } = Row::from(row) else { panic!("not a chat") };
        assert_eq!(as_text.tokens, model.chat(&messages).unwrap().tokens);
    }
}
