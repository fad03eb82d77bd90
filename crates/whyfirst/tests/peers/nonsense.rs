//! A whole run against a server that others wrote, whose tiny model answers nonsense: nothing of it is kept, the run ends by
//! itself and says why, and what was answered is not asked for again.

use rusqlite::Connection;

use crate::common::{Project, refusal, simulated};
use crate::server::Served;

#[test]
fn nonsense_is_set_aside_and_the_run_ends_by_itself() {
    let served = Served::start();
    let project = Project::new();
    let url = served.url();
    let name = format!("model = \"{}\"", served.model());
    let edits = [
        // One model plays both parts, which a user has to insist on.
        ("model = \"sim-writer\"", name.as_str()),
        ("[writer.critic]\nmodel = \"sim-critic\"\n", ""),
        ("timeout = 2", "timeout = 120\nsame_critic = true"),
    ];
    simulated::experiment(&project, "exp", url.trim_end_matches("/v1"), &edits);
    // Without the progress before it.
    let run = |when: &str| {
        let said = refusal(project.program(&["run", "exp"]), 1, when);
        said[said.find('×').unwrap()..].to_owned()
    };
    let error = run("nonsense");
    println!("{error}");
    assert!(error.contains("nothing could be planned: no </list> in the answer"), "{error}");
    assert!(error.contains("look at the planner's answers in the store"), "{error}");
    let asked = served.questions();
    assert!(asked >= 3, "{asked} questions: each is asked with several samples before it is given up");

    let store = Connection::open(project.path("exp/runs/store.sqlite")).unwrap();
    let number = |query: &str| store.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("SELECT count(*) FROM calls WHERE status = 'answered'"), asked as i64);
    assert_eq!(number("SELECT count(*) FROM calls WHERE status <> 'answered'"), 0);
    assert_eq!(number("SELECT count(*) FROM items WHERE kept"), 0, "nonsense was kept");
    assert!(!project.path("exp/runs/corpora").exists());
    assert_eq!(run("again"), error);
    assert_eq!(served.questions(), asked, "asked again for what is in the store");
}
