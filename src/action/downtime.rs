//! How long nobody could log in: from the web's stop until `/web/login` answers again.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Scene;
use crate::stack::Stack;

/// Odoo that does not answer by then is the health check's to judge. The largest of our estates loads in 20 s.
const LIMIT: Duration = Duration::from_secs(120);

/// Between two tries: nothing listens at first.
const RETRY: Duration = Duration::from_millis(50);

/// The time in which nobody can log in.
#[derive(Debug)]
pub(super) struct Downtime {
    begun: Instant,
}

impl Downtime {
    /// It begins now.
    pub(super) fn begin() -> Self {
        Self { begun: Instant::now() }
    }

    /// Waits until the login page answers at the stack's health address, and tells how long that was. Where it does not
    /// answer, that is told, and is no failure here: the health check says more of it.
    pub(super) async fn end(self, scene: &Scene) {
        let Ok(Ok(url)) = scene.stack().map(Stack::health_url) else {
            scene
                .report
                .note(self.told("until it was started; no address is known to ask"));
            return;
        };
        let page = format!("{url}/web/login");
        let answered = timeout_at(Instant::now() + LIMIT, first_answer(&page));
        let interrupted = scene.processes.cancellation().cancelled();
        let answered = tokio::select! {
            answered = answered => answered.is_ok(),
            () = interrupted => false,
        };
        match answered {
            true => scene.report.note(self.told("until /web/login answered")),
            false => scene.report.warn(format!(
                "web has been down for {:.1} s, and {page} does not answer yet",
                self.begun.elapsed().as_secs_f64()
            )),
        }
    }

    fn told(&self, until: &str) -> String {
        format!("web was down for {:.1} s, {until}", self.begun.elapsed().as_secs_f64())
    }
}

/// Ends when the page answers with success.
async fn first_answer(page: &str) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::limited(4));
    let Ok(client) = client.build() else {
        return std::future::pending().await;
    };
    let mut retry = tokio::time::interval(RETRY);
    loop {
        retry.tick().await;
        if let Ok(answer) = client.get(page).send().await
            && answer.status().is_success()
        {
            return;
        }
    }
}
