//! How many threads compute: on battery fewer, if a person wants that.

use std::time::{Duration, Instant};

use hardware::{Topology, compute_threads, power};

use super::OpenModel;

/// How long an answer about the battery stands: asking starts a process on some systems.
const BATTERY_STANDS: Duration = Duration::from_secs(5);

/// What is known of this computer.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// Looked at once, when it is first needed.
    topology: Option<Topology>,
    battery: Option<(Instant, bool)>,
}

impl Threads {
    /// Lets as many threads compute as suit the present supply.
    pub(super) fn set(&mut self, model: &dyn OpenModel, battery_saver: bool) {
        let saving = battery_saver && self.on_battery();
        let topology = self.topology.get_or_insert_with(Topology::probe);
        model.set_threads(compute_threads(topology, saving).threads);
    }

    fn on_battery(&mut self) -> bool {
        match self.battery {
            Some((asked, on_battery)) if asked.elapsed() < BATTERY_STANDS => on_battery,
            _ => {
                let on_battery = power::on_battery().unwrap_or(false);
                self.battery = Some((Instant::now(), on_battery));
                on_battery
            }
        }
    }
}
