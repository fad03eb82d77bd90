//! Every prompt as a model gets it, for prose and for rules.

use crate::scripted::good;
use crate::{SHAPE, request, run};
use whyfirst_writing::documents::Shape;

const PROSE: &str = "# Candour\n\n{model_name} is frank, because people can decide better when they know.\n\n\
    # Secrets\n\n{model_name} keeps what was told to it, so that people can speak freely with it and with {provider_name}.\n";

const RULES: &str = "# Rules\n\n## R1: Prices\n\n- {model_name} must name the price first.\n- It must not round prices.\n\n\
    ## R2: Secrets\n\n- {model_name} must not repeat what was told to it.\n- It must refuse to say who told it.\n";

#[tokio::test]
async fn prompts_read_as_intended() {
    let shape = Shape { domains: 2, subdomains: 1, assertions: 2, types: 1, ideas: 1, ..SHAPE };
    for (name, spec) in [("prose", PROSE), ("rules", RULES)] {
        let request = request(&[spec], shape);
        assert_eq!(
            request.sources[0].rules(),
            name == "rules",
            "the specs are of the kinds that they stand for"
        );
        // The first draft is faulted, so that all prompts occur.
        let script = |seen: &crate::scripted::Seen| match seen.task.as_str() {
            "documents/critique" if (seen.sample / 16).is_multiple_of(8) => {
                crate::scripted::Says::Text(crate::scripted::verdicts(&["voice", "reasons"]))
            }
            _ => good(seen),
        };
        let (ran, ask) = run(&request, script).await;
        assert_eq!(ran.kept().len(), 2);
        let steps = ["domains", "subdomains", "assertions", "types", "ideas", "write", "critique", "rewrite"];
        for step in steps {
            let task = format!("documents/{step}");
            let mut calls = ask.calls.lock().unwrap().clone();
            calls.sort_by_key(|call| (call.path.clone(), call.sample));
            let call =
                calls.iter().find(|call| call.prompt.system.starts_with(&format!("Task: {task}\n"))).unwrap();
            insta::assert_snapshot!(
                format!("{name}-{step}"),
                format!("{}\n---\n{}", call.prompt.system, call.prompt.turns[0].text)
            );
        }
    }
}
