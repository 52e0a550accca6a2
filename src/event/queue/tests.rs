use super::*;
use crate::event::{NodeInfo, Outcome, Progress, Stream, Unit};

const SCREEN: Interest = Interest {
    lines: Lines::Dropped,
    commands: true,
    progress: true,
    all_is_data: false,
};

fn line(node: &str, text: &str) -> Event {
    Event::Line {
        node: node.into(),
        stream: Stream::Out,
        text: text.into(),
    }
}

fn note(text: &str) -> Event {
    Event::Note {
        node: "other".into(),
        text: text.into(),
    }
}

fn progress(done: u64) -> Event {
    Event::Progress {
        node: "other".into(),
        progress: Progress {
            done,
            total: None,
            unit: Unit::Items,
            current: String::new(),
        },
    }
}

/// A queue that knows that `asked` is what the user asked for.
fn queue(interest: Interest) -> Queue {
    let queue = Queue::new(interest);
    let info = |(name, shown): (&str, bool)| NodeInfo {
        name: name.into(),
        about: String::new(),
        skipped: None,
        shown,
    };
    queue.send(&Event::RunStarted {
        run: "R".into(),
        title: "t".into(),
        nodes: [("asked", true), ("other", false)].map(info).into(),
    });
    queue
}

fn fill(queue: &Queue, node: &str) -> usize {
    let text = "x".repeat(1000);
    let count = LIMIT / (1000 + OVERHEAD) + 1;
    (0..count).for_each(|_| queue.send(&line(node, &text)));
    count
}

fn all(queue: &Queue) -> Vec<Event> {
    queue.close();
    std::iter::from_fn(|| queue.take()).flatten().collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn lines_that_were_asked_for_wait_until_they_are_read() {
    let queue = queue(SCREEN);
    fill(&queue, "asked");
    assert!(queue.owes());
    runtime().block_on(async {
        let node = "asked".into();
        let waited = timeout(PATIENCE * 2, queue.room(&node)).await;
        assert!(waited.is_err(), "nobody has read anything");
        let reader = queue.clone();
        std::thread::spawn(move || while reader.take().is_some() {});
        queue.room(&node).await;
    });
    queue.close();
}

#[test]
fn other_lines_are_left_out_after_a_moment_and_counted_where_they_are_missing() {
    let queue = queue(SCREEN);
    let shown = fill(&queue, "other");
    runtime().block_on(async {
        let node = "other".into();
        let began = tokio::time::Instant::now();
        queue.room(&node).await;
        assert!(began.elapsed() >= PATIENCE);
        for _ in 0..1000 {
            queue.room(&node).await;
            queue.send(&line("other", "not seen"));
        }
        assert!(began.elapsed() < PATIENCE * 2, "it waits once");
    });
    queue.send(&note("kept"));
    queue.send(&Event::NodeFinished {
        node: "other".into(),
        outcome: Outcome::Done,
        seconds: 1.0,
    });
    let told = all(&queue);
    assert_eq!(told.len(), 1 + shown + 3);
    let left_out = Event::LinesLeftOut {
        node: "other".into(),
        count: 1000,
    };
    assert_eq!(told[1 + shown..][..2], [left_out, note("kept")]);
    assert!(!queue.owes());
}

#[test]
fn of_progress_the_latest_is_told_in_the_turn_of_the_first() {
    let queue = queue(SCREEN);
    (1..=100_000).for_each(|done| queue.send(&progress(done)));
    queue.send(&note("after"));
    queue.send(&progress(100_001));
    assert_eq!(all(&queue)[1..], [progress(100_001), note("after")]);
}

#[test]
fn whoever_hurries_waits_for_nobody_and_loses_no_outcome() {
    let queue = queue(SCREEN);
    fill(&queue, "asked");
    queue.hurry();
    runtime().block_on(async { queue.room(&"asked".into()).await });
    queue.send(&line("asked", "too late"));
    queue.send(&note("kept"));
    let told = all(&queue);
    assert!(matches!(&told[told.len() - 2], Event::LinesLeftOut { count: 1, .. }));
    assert_eq!(told.last(), Some(&note("kept")));
}

#[test]
fn what_is_not_wanted_takes_no_room() {
    let queue = queue(Interest {
        lines: Lines::Unwanted,
        commands: false,
        progress: false,
        all_is_data: false,
    });
    fill(&queue, "other");
    queue.send(&progress(1));
    runtime().block_on(async { queue.room(&"other".into()).await });
    assert_eq!(all(&queue).len(), 1);
}
