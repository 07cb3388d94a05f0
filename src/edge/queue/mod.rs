//! Where orders come from and results go: one small trait, a broker and a spool folder behind it.
//!
//! Everything may arrive twice. What a queue promises is that nothing vanishes: a message that
//! was confirmed stays until it is settled, and a message whose holder died comes back with
//! [`Delivery::redelivered`] set.

pub mod amqp;
mod backoff;
mod consuming;
pub mod dir;
mod envelope;
mod publishing;
pub mod topology;
mod trouble;

pub use trouble::Trouble;

use crate::error::{Code, Violation};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc::UnboundedReceiver;

/// The delays, in seconds, after which a retried order comes back.
pub const RUNGS: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 100];

/// An order under way: its bytes and what travels beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The order's JSON, as the pipeline sent it.
    pub body: Bytes,
    /// How often it has been tried, this time included; from 1.
    pub attempt: u32,
    /// When it was first enqueued, in ms of Unix time; kept across retries.
    pub enqueued_at_ms: Option<u64>,
    /// The order's W3C trace context.
    pub traceparent: Option<String>,
}

impl Message {
    /// A new order.
    pub fn new(body: impl Into<Bytes>) -> Message {
        Message { body: body.into(), attempt: 1, enqueued_at_ms: None, traceparent: None }
    }
}

/// A result on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's id; consumers drop what they have seen.
    pub id: String,
    /// The routing key, such as `presswork.render.completed`.
    pub kind: String,
    /// The very bytes of `result.json`.
    pub body: Bytes,
    /// The order's W3C trace context.
    pub traceparent: Option<String>,
}

/// An order that was given up, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// The order, with its attempts.
    pub message: Message,
    /// The class it came from.
    pub class: String,
    /// The code of the failure.
    pub code: String,
    /// When, in ms of Unix time.
    pub died_at_ms: u64,
}

/// An order that this process holds until it settles it.
#[derive(Debug)]
pub struct Delivery {
    /// The order.
    pub message: Message,
    /// The queue it came from.
    pub class: String,
    /// It was delivered before and not settled: its holder may have died of it.
    pub redelivered: bool,
    /// It was delivered so often that it must not be rendered again.
    pub exhausted: bool,
    /// The way to settle it.
    pub receipt: Box<dyn Receipt>,
}

/// Settles one delivery, once.
#[async_trait]
pub trait Receipt: Send + Sync + std::fmt::Debug {
    /// The order is done. `false`: it was taken away meanwhile and will come back.
    async fn ack(&self) -> Result<bool, Violation>;

    /// The order goes back for anyone to take.
    async fn requeue(&self) -> Result<bool, Violation>;

    /// Whether it can still be settled, as far as is known: a delivery of a connection that is gone comes
    /// again.
    fn holds(&self) -> bool {
        true
    }
}

/// A class of orders and how many of it may be held unsettled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its name, which is also the routing key.
    pub name: String,
    /// Its share while other classes wait too.
    pub weight: u32,
}

/// Says of a parked order whether it stays.
pub type Keep<'a> = &'a mut (dyn FnMut(&Dead) -> bool + Send);

/// A broker, or a folder that serves as one. Publishing returns when the message is safe.
#[async_trait]
pub trait Queue: Send + Sync + std::fmt::Debug {
    /// Begins to deliver orders of the classes, at most `prefetch` unsettled of each. Lasts until
    /// [`Queue::stop`]; a lost connection is mended behind it.
    async fn consume(
        &self,
        classes: &[Class],
        prefetch: u16,
    ) -> Result<UnboundedReceiver<Delivery>, Violation>;

    /// No more deliveries; what is held can still be settled.
    async fn stop(&self);

    /// Enqueues an order.
    async fn enqueue(&self, class: &str, message: &Message) -> Result<(), Violation>;

    /// Enqueues an order that shall come back after `RUNGS[rung]`.
    async fn enqueue_later(&self, class: &str, message: &Message, rung: usize) -> Result<(), Violation>;

    /// Publishes a result.
    async fn publish(&self, event: &Event) -> Result<(), Violation>;

    /// Parks an order that was given up.
    async fn bury(&self, dead: &Dead) -> Result<(), Violation>;

    /// Goes through at most `limit` parked orders. `keep` says for each whether it stays; one that
    /// does not stay is removed.
    async fn exhume(&self, limit: usize, keep: Keep<'_>) -> Result<usize, Violation>;

    /// How many orders of a class wait.
    async fn ready(&self, class: &str) -> Result<u64, Violation>;

    /// How many orders wait that were delivered too often.
    async fn reaped(&self) -> Result<u64, Violation>;

    /// Why messages cannot be sent or received at the moment; `None` when they can.
    fn trouble(&self) -> Option<Trouble>;

    /// Drops the connection and builds a new one.
    async fn reconnect(&self);
}

/// The broker cannot be reached, or does not confirm.
pub fn unavailable(what: impl std::fmt::Display) -> Violation {
    Violation::new(Code::QueueUnavailable, format!("the queue does not answer as it should: {what}"))
}

/// The broker has answered, and the same question would have the same answer.
pub fn refused(why: impl std::fmt::Display) -> Violation {
    Violation::new(Code::QueueRefused, format!("the broker refuses this: {why}"))
}
