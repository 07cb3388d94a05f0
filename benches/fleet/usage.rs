//! What a run takes of the processors: those that are measured, the servers, and this client.

use crate::process::cpu_seconds;
use crate::support::fleet::Fleet;

/// Processor seconds.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// Of those that are measured.
    pub(crate) own: f64,
    pub(crate) rabbit: f64,
    pub(crate) weed: f64,
    /// Of this process, where it is not what is measured.
    pub(crate) client: Option<f64>,
}

impl Usage {
    /// Of all together.
    pub(crate) fn all(self) -> f64 {
        self.own + self.rabbit + self.weed + self.client.unwrap_or(0.0)
    }

    /// For each of so many orders.
    pub(crate) fn by(self, orders: f64) -> Usage {
        let Usage { own, rabbit, weed, client } = self;
        Usage {
            own: own / orders,
            rabbit: rabbit / orders,
            weed: weed / orders,
            client: client.map(|s| s / orders),
        }
    }
}

/// How many processors there are.
pub(crate) fn processors() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64)
}

/// Measures from when it is made.
pub(crate) struct Meter {
    own: Vec<u32>,
    rabbit: u32,
    weed: u32,
    is_floor: bool,
    before: Usage,
}

impl Meter {
    /// Of some processes, beside which this one is the client.
    pub(crate) fn of(fleet: &Fleet, processes: &[u32]) -> Meter {
        Meter::begin(fleet, processes.to_vec(), false)
    }

    /// Of the floor, which is this process.
    pub(crate) fn of_floor(fleet: &Fleet) -> Meter {
        Meter::begin(fleet, vec![std::process::id()], true)
    }

    fn begin(fleet: &Fleet, own: Vec<u32>, is_floor: bool) -> Meter {
        let rabbit = fleet.rabbit.pid().and_then(|id| id.parse().ok()).expect("the broker runs");
        let none = Usage { own: 0.0, rabbit: 0.0, weed: 0.0, client: None };
        let mut meter = Meter { own, rabbit, weed: fleet.weed.pid(), is_floor, before: none };
        meter.before = meter.read();
        meter
    }

    fn read(&self) -> Usage {
        Usage {
            own: self.own.iter().map(|id| cpu_seconds(*id)).sum(),
            rabbit: cpu_seconds(self.rabbit),
            weed: cpu_seconds(self.weed),
            client: (!self.is_floor).then(|| cpu_seconds(std::process::id())),
        }
    }

    /// What was used since.
    pub(crate) fn used(&self) -> Usage {
        let (now, before) = (self.read(), self.before);
        Usage {
            own: now.own - before.own,
            rabbit: now.rabbit - before.rabbit,
            weed: now.weed - before.weed,
            client: now.client.zip(before.client).map(|(now, before)| now - before),
        }
    }
}
