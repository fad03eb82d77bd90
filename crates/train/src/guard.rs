//! The loss guard: a run that goes wrong stops and says so, instead of ending as a table row.

use crate::TrainError;

/// Steps averaged over: one step's loss says little.
pub const WINDOW: usize = 20;
/// A mean this many times the best one, and [`MARGIN`] more, has diverged.
pub const FACTOR: f64 = 1.5;
/// Nats.
pub const MARGIN: f64 = 0.5;

/// Watches the losses of one stage.
#[derive(Default)]
pub struct Guard {
    recent: Vec<f64>,
    best: Option<f64>,
}

impl Guard {
    /// Takes the loss of a step (counted from 1).
    pub fn watch(
        &mut self,
        step: u64,
        loss: f64,
        gradient_norm: f64,
        learning_rate: f64,
    ) -> Result<(), TrainError> {
        for (what, value) in [("loss", loss), ("gradient norm", gradient_norm)] {
            if !value.is_finite() {
                return Err(TrainError::NotANumber { step, what, learning_rate });
            }
        }
        self.recent.push(loss);
        if self.recent.len() > WINDOW {
            self.recent.remove(0);
        }
        if self.recent.len() < WINDOW {
            return Ok(());
        }
        let now = self.recent.iter().sum::<f64>() / WINDOW as f64;
        let best = *self.best.get_or_insert(now);
        if now > best * FACTOR + MARGIN {
            return Err(TrainError::Diverged { step, window: WINDOW, now, best });
        }
        self.best = Some(best.min(now));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drifting_loss_is_stopped_and_a_noisy_one_is_not() {
        let mut guard = Guard::default();
        for i in 0..200 {
            guard.watch(i, 1.3 + 0.5 * (i as f64).sin(), 1.0, 1e-3).unwrap();
        }
        // 1.26 to 4.30, slowly, as it once went unnoticed.
        let stopped =
            (200..400).find_map(|i| guard.watch(i, 1.26 + (i - 200) as f64 * 0.026, 1.0, 1e-3).err());
        assert!(matches!(stopped, Some(TrainError::Diverged { now, .. }) if now < 3.0));
        let error = Guard::default().watch(7, f64::NAN, 1.0, 1e-3).unwrap_err();
        assert!(error.to_string().contains("step 7"));
    }
}
