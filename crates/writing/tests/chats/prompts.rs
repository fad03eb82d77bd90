//! Every prompt as a model gets it.

use serde_json::Value;
use whyfirst_writing::Prompts;

use crate::scripted::source;

#[test]
fn prompts_read_as_intended() {
    let prompts = Prompts::built_in();
    let source = source();
    let show = |task: &str, context: Value| {
        let mut context = context;
        context["model_name"] = "Aster".into();
        context["provider_name"] = "Whitfield".into();
        let rendered = prompts.render(task, &context).unwrap();
        insta::assert_snapshot!(
            task.replace('/', "-"),
            format!("{}\n---\n{}", rendered.system, rendered.user)
        );
    };
    let sections = source.sections(&["S1".to_string()], 1_000);
    show("chats/topics", serde_json::json!({"spec": source.outline(), "count": 3, "known": ["a topic"]}));
    show(
        "chats/questions",
        serde_json::json!({"topic": "a lease", "sections": sections, "question_type": "edge case", "count": 2, "known": ["Is it so?"]}),
    );
    show(
        "chats/answer",
        serde_json::json!({"sections": sections, "style": "value", "with_reasoning": "yes", "question": "Is it so?"}),
    );
    show(
        "chats/filter",
        serde_json::json!({"sections": sections, "style": "rule", "question": "Is it so?", "reasoning": "Hm.", "reply": "Yes."}),
    );
    show(
        "chats/preferences",
        serde_json::json!({"spec": source.outline(), "sections": sections, "count": 3}),
    );
    show(
        "chats/choices",
        serde_json::json!({"prefer": "tea", "over": "coffee", "domain": "drinks", "count": 4}),
    );
    show("chats/pick", serde_json::json!({"prefer": "tea", "over": "coffee", "question": "Tea or coffee?"}));
    show(
        "chats/pick-filter",
        serde_json::json!({"prefer": "tea", "over": "coffee", "question": "Tea or coffee?", "reply": "Tea."}),
    );
}
