//! The broker's exchanges and queues, and the headers of a message.
//!
//! Every queue is a quorum queue with an explicit delivery limit. A retry waits in a queue per
//! delay, because a message's own TTL would block behind the queue's head; each such queue
//! returns its messages to the orders' exchange, and the routing key, the order's class, survives.

use super::publishing::short;
use super::{Class, Dead, Event, Message, RUNGS, Trouble};
use crate::telemetry::traces::is_traceparent;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, ErrorKind, ExchangeKind};

/// Deliveries after which the broker itself gives up an order. A backstop only: innocents collect
/// deliveries whenever a connection is lost.
const DELIVERY_LIMIT: i32 = 100;
/// The same for queues that operators look through.
const PARKED_DELIVERY_LIMIT: i32 = 1_000_000;
const ATTEMPT: &str = "x-presswork-attempt";
const ENQUEUED_AT: &str = "x-presswork-enqueued-at";
const TRACEPARENT: &str = "traceparent";
const CLASS: &str = "x-presswork-class";
const CODE: &str = "x-presswork-code";
const DIED_AT: &str = "x-presswork-died-at";

/// The names of a fleet's exchanges and queues.
#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
    /// Milliseconds of each delay.
    delays: Vec<u64>,
}

impl Names {
    /// Names that begin with `prefix` and a dot.
    pub fn new(prefix: impl Into<String>) -> Names {
        Names { prefix: prefix.into(), delays: RUNGS.iter().map(|seconds| seconds * 1000).collect() }
    }

    /// Other delays, in milliseconds. Queues of other delays have other names.
    #[must_use]
    pub fn with_delays(mut self, delays_ms: Vec<u64>) -> Names {
        self.delays = delays_ms;
        self
    }

    /// The exchange that pipelines publish orders to; the routing key is the class.
    pub fn orders(&self) -> String {
        format!("{}.orders", self.prefix)
    }

    /// The queue of a class.
    pub fn class(&self, class: &str) -> String {
        format!("{}.orders.{class}", self.prefix)
    }

    /// The exchange and the queue of a delay; past the last rung the last one.
    pub fn delay(&self, rung: usize) -> String {
        let ms = self.delays.get(rung).or(self.delays.last()).copied().unwrap_or(1000);
        format!("{}.delay.{ms}", self.prefix)
    }

    /// The exchange and queue of orders that came too often.
    pub fn reaper(&self) -> String {
        format!("{}.reaper", self.prefix)
    }

    /// The exchange and the queue of orders that were given up. Through the broker's default exchange a worker would
    /// need a right beside those to what is the fleet's.
    pub fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The exchange of results, and the queue bound to all of them.
    pub fn results(&self) -> String {
        format!("{}.results", self.prefix)
    }

    /// Declares everything. With `results_queue` there is also a queue of all results.
    pub async fn declare(
        &self,
        channel: &Channel,
        classes: &[Class],
        results_queue: bool,
    ) -> Result<(), lapin::Error> {
        exchange(channel, &self.orders(), ExchangeKind::Direct).await?;
        exchange(channel, &self.results(), ExchangeKind::Topic).await?;
        exchange(channel, &self.reaper(), ExchangeKind::Fanout).await?;
        queue(channel, &self.reaper(), quorum(PARKED_DELIVERY_LIMIT)).await?;
        bind(channel, &self.reaper(), &self.reaper(), "").await?;
        exchange(channel, &self.dead(), ExchangeKind::Fanout).await?;
        queue(channel, &self.dead(), quorum(PARKED_DELIVERY_LIMIT)).await?;
        bind(channel, &self.dead(), &self.dead(), "").await?;
        for class in classes {
            let arguments = returning(quorum(DELIVERY_LIMIT), &self.reaper());
            queue(channel, &self.class(&class.name), arguments).await?;
            bind(channel, &self.class(&class.name), &self.orders(), &class.name).await?;
        }
        for (rung, ms) in self.delays.iter().enumerate() {
            let name = self.delay(rung);
            let mut arguments = returning(quorum(PARKED_DELIVERY_LIMIT), &self.orders());
            arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt((*ms).min(1 << 40) as i64));
            exchange(channel, &name, ExchangeKind::Fanout).await?;
            queue(channel, &name, arguments).await?;
            bind(channel, &name, &name, "").await?;
        }
        if results_queue {
            queue(channel, &self.results(), quorum(PARKED_DELIVERY_LIMIT)).await?;
            bind(channel, &self.results(), &self.results(), "#").await?;
        }
        Ok(())
    }
}

fn quorum(delivery_limit: i32) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(delivery_limit));
    arguments
}

/// What leaves the queue unsettled goes to an exchange, and is not lost on the way.
fn returning(mut arguments: FieldTable, exchange: &str) -> FieldTable {
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString(exchange.into()));
    arguments.insert("x-dead-letter-strategy".into(), AMQPValue::LongString("at-least-once".into()));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    arguments
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<(), lapin::Error> {
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel.exchange_declare(short(name), kind, options, FieldTable::default()).await
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) -> Result<(), lapin::Error> {
    let options = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(short(name), options, arguments).await.map(drop)
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<(), lapin::Error> {
    let options = QueueBindOptions::default();
    channel.queue_bind(short(queue), short(exchange), short(key), options, FieldTable::default()).await
}

/// What is in the way where the broker has answered and would answer the same again, with its words.
pub(super) fn refusal(error: &lapin::Error) -> Option<(Trouble, String)> {
    let ErrorKind::ProtocolError(error) = error.kind() else { return None };
    let said = error.get_message().to_string();
    let trouble = match error.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Trouble::Refused,
        // A virtual host that is not there, unless it is one that is about to come up.
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) if !said.contains("is down") => Trouble::Refused,
        AMQPErrorKind::Soft(
            AMQPSoftError::NOTFOUND | AMQPSoftError::RESOURCELOCKED | AMQPSoftError::PRECONDITIONFAILED,
        ) => Trouble::Topology,
        AMQPErrorKind::Soft(_) | AMQPErrorKind::Hard(_) => return None,
    };
    Some((trouble, said))
}

const PERSISTENT: u8 = 2;

/// An order's properties.
pub fn order_properties(message: &Message) -> BasicProperties {
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(PERSISTENT)
        .with_headers(order_headers(message))
}

fn order_headers(message: &Message) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(ATTEMPT.into(), AMQPValue::LongInt(i32::try_from(message.attempt).unwrap_or(i32::MAX)));
    if let Some(ms) = message.enqueued_at_ms {
        headers.insert(ENQUEUED_AT.into(), AMQPValue::LongLongInt(ms as i64));
    }
    trace(&mut headers, message.traceparent.as_deref());
    headers
}

fn trace(headers: &mut FieldTable, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        headers.insert(TRACEPARENT.into(), AMQPValue::LongString(traceparent.into()));
    }
}

/// A parked order's properties.
pub fn dead_properties(dead: &Dead) -> BasicProperties {
    let mut headers = order_headers(&dead.message);
    headers.insert(CLASS.into(), AMQPValue::LongString(dead.class.as_str().into()));
    headers.insert(CODE.into(), AMQPValue::LongString(dead.code.as_str().into()));
    headers.insert(DIED_AT.into(), AMQPValue::LongLongInt(dead.died_at_ms as i64));
    order_properties(&dead.message).with_headers(headers)
}

/// A result's properties.
pub fn event_properties(event: &Event) -> BasicProperties {
    let mut headers = FieldTable::default();
    trace(&mut headers, event.traceparent.as_deref());
    BasicProperties::default()
        .with_content_type("application/cloudevents+json".into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(short(&event.id))
        .with_type(short(&event.kind))
        .with_headers(headers)
}

/// Reads an order back. Headers are hints from outside: what does not read is as if absent.
pub fn read_order(properties: &BasicProperties, body: Vec<u8>) -> Message {
    Message {
        body: body.into(),
        attempt: number(properties, ATTEMPT).and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1),
        enqueued_at_ms: number(properties, ENQUEUED_AT),
        traceparent: text(properties, TRACEPARENT).filter(|text| is_traceparent(text)),
    }
}

/// Reads a parked order back.
pub fn read_dead(properties: &BasicProperties, body: Vec<u8>) -> Dead {
    Dead {
        message: read_order(properties, body),
        class: text(properties, CLASS).unwrap_or_default(),
        code: text(properties, CODE).unwrap_or_default(),
        died_at_ms: number(properties, DIED_AT).unwrap_or_default(),
    }
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

fn number(properties: &BasicProperties, name: &str) -> Option<u64> {
    // Clients of other languages choose the smallest type that fits.
    let value = header(properties, name)?;
    let signed = value
        .as_long_long_int()
        .or_else(|| value.as_long_int().map(i64::from))
        .or_else(|| value.as_long_uint().map(i64::from))
        .or_else(|| value.as_short_int().map(i64::from))
        .or_else(|| value.as_short_short_int().map(i64::from));
    signed.and_then(|n| u64::try_from(n).ok())
}

fn text(properties: &BasicProperties, name: &str) -> Option<String> {
    let text = header(properties, name)?.as_long_string()?;
    String::from_utf8(text.as_bytes().to_vec()).ok()
}
