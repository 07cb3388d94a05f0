//! RabbitMQ as a queue.
//!
//! A keeper task owns the connection. On any error it drops everything and builds it again:
//! connect, declare, set prefetch, consume. Deliveries of a lost connection can no longer be
//! acknowledged, and come back from the broker; publishers try again with the same message.

use super::backoff::Backoff;
use super::consuming::{Consuming, consume};
use super::publishing::{Publication, Publishers, publish, short};
use super::topology::{Names, dead_properties, event_properties, order_properties, read_dead, refusal};
use super::{Class, Dead, Delivery, Event, Keep, Message, Queue, Trouble, refused, unavailable};
use crate::error::Violation;
use crate::telemetry::Metrics;
use async_trait::async_trait;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, QueueDeclareOptions};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How a broker is reached.
#[derive(Debug, Clone)]
pub struct AmqpSettings {
    /// `amqp://` or `amqps://`, with credentials; never logged.
    pub url: String,
    /// Certificates of the authorities to trust, PEM; the system's otherwise.
    pub ca_pem: Option<String>,
    /// A client certificate and its key, PEM.
    pub identity: Option<(String, String)>,
    /// The fleet's exchanges and queues.
    pub names: Names,
    /// The classes whose queues exist.
    pub classes: Vec<Class>,
    /// Also keep a queue of all results.
    pub results_queue: bool,
    /// How long a connection and the answer to a question may take. A confirm that takes longer counts as
    /// late, and is waited for.
    pub patience: Duration,
}

/// A broker.
#[derive(Debug)]
pub struct Amqp {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: AmqpSettings,
    pub(super) metrics: Arc<Metrics>,
    link: watch::Sender<Link>,
    pub(super) consuming: Consuming,
}

impl Shared {
    pub(super) async fn declare(&self, channel: &Channel) -> Result<(), lapin::Error> {
        let AmqpSettings { names, classes, results_queue, .. } = &self.settings;
        names.declare(channel, classes, *results_queue).await
    }
}

/// How things stand with the broker.
#[derive(Debug)]
enum Link {
    /// There is no connection, or not yet.
    Down,
    /// The broker would have none, for a reason that will not go away by itself.
    Refused(Trouble, String),
    Live(Arc<Live>),
}

/// One connection while it lasts.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) connection: Connection,
    pub(super) publishers: Publishers,
    /// Whoever finds this connection broken says so here. It ends with the connection: what a
    /// predecessor's consumers and publishers report late must not break its successor.
    pub(super) broken: Notify,
    /// It was given up: what came over it cannot be settled any more.
    lost: watch::Sender<bool>,
}

impl Live {
    /// Whether a delivery of this connection can still be settled.
    pub(super) fn holds(&self) -> bool {
        !*self.lost.borrow() && self.connection.status().connected()
    }

    /// Done when the connection is given up.
    pub(super) async fn gone(&self) {
        drop(self.lost.subscribe().wait_for(|lost| *lost).await);
    }
}

impl Amqp {
    /// Begins to connect, and keeps connected until this is dropped. Must be called in a runtime.
    pub fn start(settings: AmqpSettings, metrics: Arc<Metrics>) -> Amqp {
        let shared = Arc::new(Shared {
            settings,
            metrics,
            link: watch::Sender::new(Link::Down),
            consuming: Consuming::new(),
        });
        let keeper = tokio::spawn(keep(shared.clone()));
        Amqp { shared, keeper }
    }

    /// The live connection, or the next one, within the settings' patience. A refusal is told at once.
    async fn live(&self) -> Result<Arc<Live>, Violation> {
        let mut link = self.shared.link.subscribe();
        let known = link.wait_for(|link| !matches!(link, Link::Down));
        match timeout(self.shared.settings.patience, known).await {
            Ok(Ok(link)) => match &*link {
                Link::Live(live) => Ok(live.clone()),
                Link::Refused(_, why) => Err(refused(why)),
                Link::Down => Err(unavailable("no connection")),
            },
            Ok(Err(_)) | Err(_) => Err(unavailable("no connection")),
        }
    }

    async fn send(
        &self,
        exchange: &str,
        key: &str,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), Violation> {
        let live = self.live().await?;
        publish(&self.shared, &live, Publication { exchange, key, body, properties }).await
    }

    /// A channel for one question, since a refused question closes its channel.
    async fn channel(&self) -> Result<Channel, Violation> {
        let live = self.live().await?;
        self.within(live.connection.create_channel()).await
    }

    /// A question to the broker. One that blocks its publishers lets questions hang, too.
    async fn within<T, E: std::fmt::Display>(
        &self,
        asking: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Violation> {
        let asked = timeout(self.shared.settings.patience, asking).await;
        asked.map_err(|_| unavailable("a question was not answered in time"))?.map_err(unavailable)
    }

    /// How many messages of a queue nobody has been given.
    async fn waiting(&self, queue: &str) -> Result<u64, Violation> {
        let asked = timeout(self.shared.settings.patience, self.asked(queue)).await;
        asked.unwrap_or_else(|_| Err(unavailable("a question was not answered in time")))
    }

    async fn asked(&self, queue: &str) -> Result<u64, Violation> {
        let channel = self.channel().await?;
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let queue = channel.queue_declare(short(queue), options, FieldTable::default()).await;
        let waiting = u64::from(queue.map_err(unavailable)?.message_count());
        drop(channel.close(200, "".into()).await);
        Ok(waiting)
    }
}

impl Drop for Amqp {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Connects, serves, and begins again, for ever.
async fn keep(shared: Arc<Shared>) {
    let mut backoff = Backoff::new();
    loop {
        let mut lasted = Duration::ZERO;
        match timeout(shared.settings.patience, connect(&shared)).await {
            Ok(Ok(live)) => {
                tracing::info!("the broker is connected");
                let since = Instant::now();
                shared.metrics.connected.set(1);
                let live = Arc::new(live);
                shared.link.send_replace(Link::Live(live.clone()));
                let reason = serve(&shared, &live).await;
                live.lost.send_replace(true);
                lasted = since.elapsed();
                shared.link.send_replace(Link::Down);
                shared.metrics.connected.set(0);
                shared.metrics.reconnects.with_label_values(&[reason]).inc();
                tracing::warn!(reason, "the broker's connection is given up");
                // A stuck connection may not even close.
                drop(timeout(Duration::from_secs(1), live.connection.close(200, "".into())).await);
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the broker cannot be connected");
                shared.link.send_replace(match refusal(&error) {
                    Some((trouble, why)) => {
                        shared.metrics.reconnects.with_label_values(&[trouble.label()]).inc();
                        Link::Refused(trouble, why)
                    }
                    None => Link::Down,
                });
            }
            Err(_) => {
                tracing::warn!("the broker takes too long to connect");
                shared.link.send_replace(Link::Down);
            }
        }
        sleep(backoff.after(lasted)).await;
    }
}

async fn connect(shared: &Shared) -> Result<Live, lapin::Error> {
    let settings = &shared.settings;
    let tls = OwnedTLSConfig {
        identity: settings.identity.as_ref().map(|(certificate, key)| lapin::tcp::OwnedIdentity::PKCS8 {
            pem: certificate.as_bytes().to_vec(),
            key: key.as_bytes().to_vec(),
        }),
        cert_chain: settings.ca_pem.clone(),
    };
    let properties = ConnectionProperties::default().with_connection_name("presswork".into());
    let runtime = lapin::runtime::default_runtime()?;
    let connection = Connection::connect_with_config(&settings.url, properties, tls, runtime).await?;
    let channel = connection.create_channel().await?;
    shared.declare(&channel).await?;
    channel.close(200, "".into()).await?;
    let (publishers, broken, lost) = (Publishers::new(), Notify::new(), watch::Sender::new(false));
    Ok(Live { connection, publishers, broken, lost })
}

/// Consumes what is wanted until the connection breaks; says why it did.
async fn serve(shared: &Arc<Shared>, live: &Arc<Live>) -> &'static str {
    let mut wanted = shared.consuming.wanted.subscribe();
    let mut now = wanted.borrow_and_update().clone();
    loop {
        if let Some(wanted) = now.take() {
            match timeout(shared.settings.patience, consume(shared, live, &wanted)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "consuming failed");
                    return "consume";
                }
                Err(_) => {
                    tracing::warn!("consuming takes too long to begin");
                    return "consume";
                }
            }
        }
        tokio::select! {
            changed = wanted.changed() => match changed {
                Ok(()) => now = wanted.borrow_and_update().clone(),
                Err(_) => return "closed",
            },
            () = live.broken.notified() => return "error",
            () = sleep(Duration::from_millis(200)) => {
                if !live.connection.status().connected() {
                    return "connection";
                }
            }
        }
    }
}

#[async_trait]
impl Queue for Amqp {
    async fn consume(
        &self,
        classes: &[Class],
        prefetch: u16,
    ) -> Result<UnboundedReceiver<Delivery>, Violation> {
        let (deliveries, receiver) = unbounded_channel();
        self.shared.consuming.begin(classes, prefetch, deliveries);
        Ok(receiver)
    }

    async fn stop(&self) {
        self.shared.consuming.end().await;
    }

    async fn enqueue(&self, class: &str, message: &Message) -> Result<(), Violation> {
        let exchange = self.shared.settings.names.orders();
        self.send(&exchange, class, &message.body, order_properties(message)).await
    }

    async fn enqueue_later(&self, class: &str, message: &Message, rung: usize) -> Result<(), Violation> {
        let exchange = self.shared.settings.names.delay(rung);
        self.send(&exchange, class, &message.body, order_properties(message)).await
    }

    async fn publish(&self, event: &Event) -> Result<(), Violation> {
        let exchange = self.shared.settings.names.results();
        self.send(&exchange, &event.kind, &event.body, event_properties(event)).await
    }

    async fn bury(&self, dead: &Dead) -> Result<(), Violation> {
        let exchange = self.shared.settings.names.dead();
        self.send(&exchange, "", &dead.message.body, dead_properties(dead)).await
    }

    async fn exhume(&self, limit: usize, keep: Keep<'_>) -> Result<usize, Violation> {
        let channel = self.channel().await?;
        let queue = self.shared.settings.names.dead();
        let mut held = Vec::new();
        let mut seen = 0;
        while seen < limit {
            let asking = channel.basic_get(short(&queue), BasicGetOptions::default());
            let Some(got) = self.within(asking).await? else { break };
            seen += 1;
            let item = got.delivery;
            let dead = read_dead(&item.properties, item.data);
            if keep(&dead) {
                // Held back until the end, or the next question would bring it again.
                held.push(item.acker);
            } else {
                self.within(item.acker.ack(BasicAckOptions::default())).await?;
            }
        }
        for acker in held {
            let options = BasicNackOptions { requeue: true, ..Default::default() };
            self.within(acker.nack(options)).await?;
        }
        Ok(seen)
    }

    async fn ready(&self, class: &str) -> Result<u64, Violation> {
        self.waiting(&self.shared.settings.names.class(class)).await
    }

    async fn reaped(&self) -> Result<u64, Violation> {
        self.waiting(&self.shared.settings.names.reaper()).await
    }

    fn trouble(&self) -> Option<Trouble> {
        match &*self.shared.link.borrow() {
            Link::Live(_) => None,
            Link::Refused(trouble, _) => Some(*trouble),
            Link::Down => Some(Trouble::Disconnected),
        }
    }

    async fn reconnect(&self) {
        if let Link::Live(live) = &*self.shared.link.borrow() {
            live.broken.notify_one();
        }
    }
}
