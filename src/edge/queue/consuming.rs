//! What is consumed from the broker, from the wish to the last delivery.
//!
//! A worker may be told to end while its consumers are being set up. A consumer that nobody cancels would
//! go on receiving what its worker gives back, again and again, until the orders count as delivered too
//! often. So each consumer is either listed while consumption is wanted, and then found by whoever ends it,
//! or cancelled by who set it up.

use super::amqp::{Live, Shared};
use super::publishing::short;
use super::topology::read_order;
use super::{Class, Delivery, Receipt};
use crate::error::Violation;
use crate::telemetry::Metrics;
use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::join_all;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
};
use lapin::types::FieldTable;
use lapin::{Acker, Channel, Consumer};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long the broker may take to cancel a consumer. A broken connection has cancelled it already.
const CANCELLING: Duration = Duration::from_secs(2);

/// What shall be consumed on every connection.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    classes: Vec<Class>,
    prefetch: u16,
    deliveries: UnboundedSender<Delivery>,
}

/// A consumer, and its channel, on which deliveries are settled as long as it is open.
#[derive(Debug, Clone)]
struct Listed {
    channel: Channel,
    tag: String,
}

impl Listed {
    async fn cancel(&self) {
        let cancelling = self.channel.basic_cancel(self.tag.as_str().into(), BasicCancelOptions::default());
        drop(timeout(CANCELLING, cancelling).await);
    }
}

/// What is wanted, and the consumers of the live connection.
#[derive(Debug)]
pub(super) struct Consuming {
    pub(super) wanted: watch::Sender<Option<Wanted>>,
    consumers: Mutex<Vec<Listed>>,
}

impl Consuming {
    pub(super) fn new() -> Consuming {
        Consuming { wanted: watch::Sender::new(None), consumers: Mutex::new(Vec::new()) }
    }

    pub(super) fn begin(&self, classes: &[Class], prefetch: u16, deliveries: UnboundedSender<Delivery>) {
        self.wanted.send_replace(Some(Wanted { classes: classes.to_vec(), prefetch, deliveries }));
    }

    /// Cancels what is consumed. The channels stay: closing one would take away what is still held on it.
    pub(super) async fn end(&self) {
        self.wanted.send_replace(None);
        // Whoever lists a consumer after this finds that nothing is wanted.
        let consumers = self.consumers().clone();
        join_all(consumers.iter().map(Listed::cancel)).await;
    }

    fn consumers(&self) -> std::sync::MutexGuard<'_, Vec<Listed>> {
        self.consumers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_wanted(&self) -> bool {
        self.wanted.borrow().is_some()
    }

    /// Lists a consumer, unless consumption has ended meanwhile.
    fn list(&self, consumer: Listed) -> bool {
        let mut consumers = self.consumers();
        // Asked under the lock: `end` says that nothing is wanted before it looks at the list.
        let wanted = self.is_wanted();
        consumers.push(consumer);
        wanted
    }
}

/// Sets up a consumer for each class and for the reaper, as long as that is wanted.
pub(super) async fn consume(
    shared: &Arc<Shared>,
    live: &Arc<Live>,
    wanted: &Wanted,
) -> Result<(), lapin::Error> {
    let names = &shared.settings.names;
    let mut sources: Vec<(String, Option<String>)> =
        wanted.classes.iter().map(|class| (names.class(&class.name), Some(class.name.clone()))).collect();
    sources.push((names.reaper(), None));
    // Those of an earlier connection went with it.
    shared.consuming.consumers().clear();
    for (queue, class) in sources {
        if !shared.consuming.is_wanted() {
            return Ok(());
        }
        let channel = live.connection.create_channel().await?;
        channel.basic_qos(wanted.prefetch, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        let consumer =
            channel.basic_consume(short(&queue), "".into(), options, FieldTable::default()).await?;
        let listed = Listed { channel, tag: consumer.tag().to_string() };
        tokio::spawn(forward(shared.clone(), live.clone(), consumer, class, wanted.deliveries.clone()));
        if !shared.consuming.list(listed.clone()) {
            listed.cancel().await;
        }
    }
    Ok(())
}

/// Hands on what a consumer receives, until it is cancelled or breaks.
async fn forward(
    shared: Arc<Shared>,
    live: Arc<Live>,
    mut consumer: Consumer,
    class: Option<String>,
    deliveries: UnboundedSender<Delivery>,
) {
    while let Some(item) = consumer.next().await {
        let Ok(item) = item else { break };
        let delivery = Delivery {
            message: read_order(&item.properties, item.data),
            exhausted: class.is_none(),
            // What comes to the reaper kept its routing key.
            class: class.clone().unwrap_or_else(|| item.routing_key.to_string()),
            redelivered: item.redelivered,
            receipt: Box::new(AmqpReceipt {
                acker: item.acker,
                live: live.clone(),
                metrics: shared.metrics.clone(),
            }),
        };
        if deliveries.send(delivery).is_err() {
            return;
        }
    }
    // A cancelled consumer is what stopping looks like; any other end is a broken connection.
    if shared.consuming.is_wanted() {
        live.broken.notify_one();
    }
}

#[derive(Debug)]
struct AmqpReceipt {
    acker: Acker,
    live: Arc<Live>,
    metrics: Arc<Metrics>,
}

impl AmqpReceipt {
    fn settled(&self, action: &str, result: Result<bool, lapin::Error>) -> Result<bool, Violation> {
        let settled = result.unwrap_or_else(|error| {
            // Lost with its connection: the broker delivers it again.
            tracing::debug!(%error, action, "a delivery could not be settled");
            false
        });
        if settled {
            self.metrics.settlements.with_label_values(&[action]).inc();
        }
        Ok(settled)
    }
}

#[async_trait]
impl Receipt for AmqpReceipt {
    async fn ack(&self) -> Result<bool, Violation> {
        self.settled("ack", self.acker.ack(BasicAckOptions::default()).await)
    }

    async fn requeue(&self) -> Result<bool, Violation> {
        let options = BasicNackOptions { requeue: true, ..Default::default() };
        self.settled("requeue", self.acker.nack(options).await)
    }

    fn holds(&self) -> bool {
        self.live.holds()
    }
}
