//! Why a queue takes and gives nothing, as readiness names it.

/// What is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no connection to the broker.
    Disconnected,
    /// The broker lets nobody in with these credentials, to this virtual host, or denies a right.
    Refused,
    /// A queue or an exchange stands there that is not of the kind that the fleet needs.
    Topology,
    /// The spool's files cannot be read.
    Unreadable,
}

impl Trouble {
    /// Every one.
    pub const ALL: [Trouble; 4] =
        [Trouble::Disconnected, Trouble::Refused, Trouble::Topology, Trouble::Unreadable];

    /// What probes are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Trouble::Disconnected => "the broker is not connected",
            Trouble::Refused => "the broker refuses this worker",
            Trouble::Topology => "the broker's queues are not as they should be",
            Trouble::Unreadable => "the spool cannot be read",
        }
    }

    /// What a metric is told.
    pub(super) fn label(self) -> &'static str {
        match self {
            Trouble::Disconnected => "connection",
            Trouble::Refused => "refused",
            Trouble::Topology => "topology",
            Trouble::Unreadable => "unreadable",
        }
    }
}
