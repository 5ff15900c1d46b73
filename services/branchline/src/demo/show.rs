//! What the audience sees: a line per step while it is played, and a table at the end.

use std::time::{Duration, Instant};

use crate::terminal::{say, tell};

/// A step that was played.
struct Played {
    name: &'static str,
    took: Duration,
    proof: String,
}

/// The steps so far.
#[derive(Default)]
pub(crate) struct Show {
    played: Vec<Played>,
    total: usize,
}

impl Show {
    /// A show of that many steps.
    pub(crate) fn of(total: usize) -> Self {
        Self {
            played: Vec::new(),
            total,
        }
    }

    /// Plays a step: says that it began, how long it took and what it proved.
    pub(crate) async fn step(
        &mut self,
        name: &'static str,
        play: impl Future<Output = anyhow::Result<String>>,
    ) -> anyhow::Result<()> {
        let number = self.played.len().saturating_add(1);
        tell(&format!("[{number}/{}] {name} …", self.total));
        let started = Instant::now();
        let proof = match Box::pin(play).await {
            Ok(proof) => proof,
            Err(error) => {
                return Err(error.context(format!("step {number}, {name}, is not as it must be")));
            }
        };
        let took = started.elapsed();
        tell(&format!(
            "[{number}/{}] {name}: {} ms – {proof}",
            self.total,
            took.as_millis()
        ));
        self.played.push(Played { name, took, proof });
        Ok(())
    }

    /// Prints the closing table.
    pub(crate) fn table(&self) {
        say("");
        say(&format!("{:<10} {:>8}  what it proved", "step", "ms"));
        for step in &self.played {
            say(&format!(
                "{:<10} {:>8}  {}",
                step.name,
                step.took.as_millis(),
                step.proof
            ));
        }
        say("");
    }

    /// The last line of a demo that ended well.
    pub(crate) fn verdict(&self) -> String {
        format!(
            "demo {} of {} steps, books balanced",
            self.played.len(),
            self.total
        )
    }
}
