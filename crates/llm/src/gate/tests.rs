use super::*;

fn gate(start: u32) -> Arc<Gate> {
    Arc::new(Gate::new(Concurrency { start, max: 100 }, Limits::default()))
}

fn place(corpus: usize, path: &str) -> Place {
    Place { corpus, path: path.into() }
}

/// Lets all tasks that can go on do so.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_lowest_place_goes_first() {
    let gate = gate(1);
    let first = gate.pass(place(0, "0009"), Need::default()).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    for (corpus, path) in [(1, "0001"), (0, "0007/0002"), (0, "0007"), (0, "0010"), (0, "0007/0001")] {
        let (gate, order) = (Arc::clone(&gate), Arc::clone(&order));
        tokio::spawn(async move {
            let _permit = gate.pass(place(corpus, path), Need::default()).await.unwrap();
            order.lock().unwrap().push((corpus, path));
        });
        settle().await;
    }
    drop(first);
    settle().await;
    let expected = [(0, "0007"), (0, "0007/0001"), (0, "0007/0002"), (0, "0010"), (1, "0001")];
    assert_eq!(*order.lock().unwrap(), expected);
    assert_eq!(gate.load(), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_everybody_and_ends_by_itself() {
    let gate = gate(4);
    let start = Instant::now();
    let permit = gate.pass(place(0, ""), Need::default()).await.unwrap();
    permit.congested(Some(Duration::from_secs(7)));
    assert_eq!(gate.load().0, 2);
    assert_eq!(gate.pause_left(), Duration::from_secs(7));
    let permits =
        futures_util::future::join_all((0..2).map(|_| gate.pass(place(0, ""), Need::default()))).await;
    assert!(permits.iter().all(Option::is_some));
    let waited = Instant::now() - start;
    assert!(waited >= Duration::from_secs(7) && waited < Duration::from_secs(8), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn limits_per_minute_are_kept() {
    let limits = Limits { output_tokens: Some(6000), ..Limits::default() };
    let gate = Arc::new(Gate::new(Concurrency { start: 50, max: 50 }, limits));
    let start = Instant::now();
    for _ in 0..30 {
        let permit = gate.pass(place(0, ""), Need { input: 1, output: 500 }).await.unwrap();
        permit.answered(1, 250);
    }
    // 30 answers of 250 tokens at 100 a second, less the ten seconds' worth at the start.
    let seconds = (Instant::now() - start).as_secs_f64();
    assert!((60.0..75.0).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn closing_sends_everybody_away_and_those_who_left_keep_no_slot() {
    let gate = gate(1);
    let first = gate.pass(place(0, ""), Need::default()).await.unwrap();
    let left = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.pass(place(0, "a"), Need::default()).await }
    });
    settle().await;
    left.abort();
    settle().await;
    drop(first);
    settle().await;
    let second = gate.pass(place(0, "b"), Need::default()).await.unwrap();
    let waiting = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.pass(place(0, "c"), Need::default()).await.is_none() }
    });
    settle().await;
    gate.close();
    assert!(waiting.await.unwrap());
    assert!(gate.pass(place(0, "d"), Need::default()).await.is_none());
    drop(second);
    assert_eq!(gate.load().1, 0);
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_idle_only_while_somebody_waits_for_one() {
    let seconds = |n| tokio::time::advance(Duration::from_secs(n));
    let gate = gate(2);
    let first = gate.pass(place(0, ""), Need::default()).await.unwrap();
    seconds(10).await;
    assert_eq!(gate.usage(), (0.0, 0.0), "nobody wants the other slot");
    let _second = gate.pass(place(0, ""), Need::default()).await.unwrap();
    let third = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.pass(place(0, ""), Need::default()).await }
    });
    settle().await;
    seconds(3).await;
    assert_eq!(gate.usage(), (6.0, 6.0));
    // One slot fewer, and a pause: the second call keeps the slot that is left.
    first.congested(Some(Duration::from_secs(5)));
    seconds(4).await;
    assert_eq!(gate.usage(), (10.0, 10.0));
    gate.close();
    assert!(third.await.unwrap().is_none());
    seconds(9).await;
    assert_eq!(gate.usage(), (10.0, 10.0));
}
