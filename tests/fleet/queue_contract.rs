//! What every queue promises, asked of a spool folder and of a private RabbitMQ.

use crate::support::faults::scrambled;
use crate::support::rabbitmq::Rabbit;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use presswork::edge::queue::amqp::{Amqp, AmqpSettings};
use presswork::edge::queue::dir::Spool;
use presswork::edge::queue::topology::Names;
use presswork::edge::queue::{Class, Dead, Delivery, Event, Message, Queue};
use presswork::error::Code;
use presswork::telemetry::Metrics;
use prometheus::Registry;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

fn classes() -> Vec<Class> {
    ["standard", "rush"].map(|name| Class { name: name.into(), weight: 1 }).to_vec()
}

async fn next(deliveries: &mut UnboundedReceiver<Delivery>) -> Delivery {
    timeout(Duration::from_secs(20), deliveries.recv()).await.expect("nothing came").expect("it ended")
}

async fn silence(deliveries: &mut UnboundedReceiver<Delivery>) {
    let more = timeout(Duration::from_millis(500), deliveries.recv()).await;
    assert!(!matches!(more, Ok(Some(_))), "{more:?}");
}

pub(crate) fn message(text: &str) -> Message {
    let traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    Message { enqueued_at_ms: Some(1_700_000_000_123), traceparent, ..Message::new(text.to_owned()) }
}

/// `first` and `second` are two clients of one queue.
async fn keeps_its_promises(first: Arc<dyn Queue>, second: Arc<dyn Queue>) {
    let mut orders = first.consume(&classes(), 2).await.unwrap();
    // An order arrives as it was sent, with what travels beside it.
    let sent = message("{\"a\":1}");
    second.enqueue("rush", &sent).await.unwrap();
    let got = next(&mut orders).await;
    assert_eq!((&got.message, got.class.as_str()), (&sent, "rush"));
    assert!(!got.redelivered && !got.exhausted);
    // Nobody else gets it while it is held, and after it is settled it is gone.
    let mut others = second.consume(&classes(), 2).await.unwrap();
    silence(&mut others).await;
    assert!(got.receipt.ack().await.unwrap());
    silence(&mut orders).await;

    // What goes back is delivered again, and says so.
    second.enqueue("standard", &message("back")).await.unwrap();
    let got = either(&mut orders, &mut others).await;
    assert!(got.receipt.requeue().await.unwrap());
    let got = either(&mut orders, &mut others).await;
    assert!(got.redelivered);
    assert!(got.receipt.ack().await.unwrap());

    // A retry comes back later, as a new message of its class.
    let again = Message { attempt: 3, ..message("later") };
    let begin = Instant::now();
    first.enqueue_later("rush", &again, 1).await.unwrap();
    let got = either(&mut orders, &mut others).await;
    assert!(begin.elapsed() >= Duration::from_millis(600), "it came after {:?}", begin.elapsed());
    assert_eq!((&got.message, got.class.as_str(), got.redelivered), (&again, "rush", false));
    assert!(got.receipt.ack().await.unwrap());

    // A long delay does not block a short one.
    first.enqueue_later("rush", &message("slow"), 1).await.unwrap();
    first.enqueue_later("rush", &message("fast"), 0).await.unwrap();
    for expected in ["fast", "slow"] {
        let got = either(&mut orders, &mut others).await;
        assert_eq!(got.message.body, expected);
        assert!(got.receipt.ack().await.unwrap());
    }

    // No more than the prefetch is held.
    second.stop().await;
    drop(others);
    for i in 0..5 {
        first.enqueue("standard", &message(&i.to_string())).await.unwrap();
    }
    let (a, b) = (next(&mut orders).await, next(&mut orders).await);
    silence(&mut orders).await;
    for held in [a, b] {
        assert!(held.receipt.ack().await.unwrap());
        drop(held);
    }
    let mut rest = BTreeSet::new();
    for _ in 0..3 {
        let got = next(&mut orders).await;
        rest.insert(got.message.body.to_vec());
        assert!(got.receipt.ack().await.unwrap());
    }
    assert_eq!(rest.len(), 3);

    parks_and_digs_up(first.as_ref()).await;

    // After stopping nothing is delivered, what is held can be settled, and the stream ends.
    first.enqueue("standard", &message("held")).await.unwrap();
    let held = next(&mut orders).await;
    first.stop().await;
    assert!(held.receipt.ack().await.unwrap());
    first.enqueue("standard", &message("kept")).await.unwrap();
    assert!(timeout(Duration::from_secs(5), orders.recv()).await.expect("the stream goes on").is_none());
    assert_eq!(first.trouble(), None);
}

async fn either(
    first: &mut UnboundedReceiver<Delivery>,
    second: &mut UnboundedReceiver<Delivery>,
) -> Delivery {
    let waiting = async {
        tokio::select! {
            Some(got) = first.recv() => got,
            Some(got) = second.recv() => got,
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect("nothing came")
}

async fn parks_and_digs_up(queue: &dyn Queue) {
    for code in ["store.denied", "render.crashed", "store.denied"] {
        let dead = Dead {
            message: Message { attempt: 8, ..message(code) },
            class: "rush".into(),
            code: code.into(),
            died_at_ms: 1_700_000_000_999,
        };
        queue.bury(&dead).await.unwrap();
    }
    let mut codes = Vec::new();
    let mut look = |dead: &Dead| {
        assert_eq!((dead.class.as_str(), dead.message.attempt), ("rush", 8));
        assert_eq!(dead.died_at_ms, 1_700_000_000_999);
        codes.push(dead.code.clone());
        dead.code != "render.crashed"
    };
    assert_eq!(queue.exhume(100, &mut look).await.unwrap(), 3);
    assert_eq!(codes.len(), 3);
    let seen = queue.exhume(100, &mut |_| false).await.unwrap();
    assert_eq!(seen, 2, "the one that was not kept is gone, the others stayed");
    assert_eq!(queue.exhume(100, &mut |_| true).await.unwrap(), 0);
}

pub(crate) fn event(id: &str) -> Event {
    Event {
        id: id.into(),
        kind: "presswork.render.completed".into(),
        body: "{\"id\":1}".into(),
        traceparent: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_folder_keeps_a_queues_promises() {
    let folder = tempfile::TempDir::new().unwrap();
    let delays = vec![Duration::from_millis(200), Duration::from_millis(700)];
    let metrics = Arc::new(Metrics::new(Registry::new()).unwrap());
    let spool = || Spool::new(folder.path()).with_delays(delays.clone()).counted_by(metrics.clone());
    keeps_its_promises(Arc::new(spool()), Arc::new(spool())).await;
    // What is safe and what is settled is counted: every acknowledged delivery had been confirmed.
    let [acks, requeues] = ["ack", "requeue"].map(|action| metrics.settlements.with_label_values(&[action]));
    let confirms = metrics.confirms.with_label_values(&["ack"]);
    assert_eq!((acks.get(), requeues.get()), (11, 1));
    // Three orders were parked, and one is still waiting.
    assert_eq!(confirms.get(), acks.get() + 3 + 1);
    let spool = spool();
    spool.publish(&event("e1")).await.unwrap();
    spool.publish(&event("e1")).await.unwrap();
    assert_eq!(std::fs::read(spool.results().join("e1.json")).unwrap(), b"{\"id\":1}");
    assert_eq!(std::fs::read_dir(spool.results()).unwrap().count(), 1);

    // What a dead holder had taken comes back. Dropping a delivery unsettled drops its lock, as the
    // end of a process does.
    let mut orders = spool.consume(&classes(), 2).await.unwrap();
    let got = next(&mut orders).await;
    assert_eq!(got.message.body, "kept");
    drop(got);
    let got = next(&mut orders).await;
    assert!(got.redelivered);
    assert!(got.receipt.ack().await.unwrap());
}

pub(crate) fn settings(rabbit: &Rabbit, prefix: &str) -> AmqpSettings {
    AmqpSettings {
        url: rabbit.url(),
        ca_pem: None,
        identity: None,
        names: Names::new(prefix).with_delays(vec![200, 700]),
        classes: classes(),
        results_queue: true,
        patience: Duration::from_secs(10),
    }
}

pub(crate) fn amqp(settings: AmqpSettings) -> (Arc<Amqp>, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new(Registry::new()).unwrap());
    (Arc::new(Amqp::start(settings, metrics.clone())), metrics)
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_keeps_a_queues_promises() {
    tracing_subscriber::fmt().with_env_filter("presswork=debug").with_test_writer().init();
    let mut rabbit = Rabbit::start();
    let (first, _) = amqp(settings(&rabbit, "a"));
    let (second, _) = amqp(settings(&rabbit, "a"));
    keeps_its_promises(first, second).await;
    unroutable_results_are_errors(&rabbit).await;
    a_refused_question_does_not_stop_publishing(&rabbit).await;
    an_order_delivered_too_often_reaches_the_reaper(&rabbit).await;
    what_the_reaper_holds_is_counted(&rabbit).await;
    stopping_at_any_moment_ends_every_consumer(&rabbit).await;
    a_memory_alarm_leaves_one_message_in_line(&rabbit).await;
    nothing_confirmed_is_lost_in_a_crash(&mut rabbit).await;
}

async fn unroutable_results_are_errors(rabbit: &Rabbit) {
    let (queue, metrics) = amqp(AmqpSettings { results_queue: false, ..settings(rabbit, "b") });
    let wrong = queue.publish(&event("e1")).await.unwrap_err();
    assert_eq!(wrong.code, Code::QueueRefused);
    assert_eq!(metrics.confirms.with_label_values(&["returned"]).get(), 1);
    let (queue, metrics) = amqp(settings(rabbit, "b"));
    queue.publish(&event("e1")).await.unwrap();
    assert_eq!(metrics.confirms.with_label_values(&["ack"]).get(), 1);
}

async fn a_refused_question_does_not_stop_publishing(rabbit: &Rabbit) {
    let (queue, _) = amqp(settings(rabbit, "c"));
    assert_eq!(queue.ready("no-such-class").await.unwrap_err().code, Code::QueueUnavailable);
    queue.enqueue("rush", &message("x")).await.unwrap();
    assert_eq!(queue.ready("rush").await.unwrap(), 1);
    assert_eq!(queue.reaped().await.unwrap(), 0);
    // A class without a queue takes nothing, and says so.
    assert_eq!(queue.enqueue("no-such-class", &message("x")).await.unwrap_err().code, Code::QueueRefused);
}

async fn an_order_delivered_too_often_reaches_the_reaper(rabbit: &Rabbit) {
    let (queue, _) = amqp(settings(rabbit, "d"));
    let mut orders = queue.consume(&classes(), 1).await.unwrap();
    queue.enqueue("rush", &message("poison")).await.unwrap();
    for _ in 0..150 {
        let got = next(&mut orders).await;
        assert_eq!((got.class.as_str(), got.message.body.as_ref()), ("rush", b"poison".as_slice()));
        if got.exhausted {
            assert!(got.receipt.ack().await.unwrap());
            return;
        }
        assert!(got.receipt.requeue().await.unwrap());
    }
    panic!("it was delivered 150 times");
}

async fn what_the_reaper_holds_is_counted(rabbit: &Rabbit) {
    let names = settings(rabbit, "f").names;
    let (queue, _) = amqp(settings(rabbit, "f"));
    // Its queue is there once the first question is answered.
    assert_eq!(queue.reaped().await.unwrap(), 0);
    let connection = Connection::connect(&rabbit.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let reaper = names.reaper();
    let sent = channel.basic_publish(reaper.as_str().into(), "rush".into(), options, b"old", properties);
    sent.await.unwrap().await.unwrap();
    assert_eq!((queue.reaped().await.unwrap(), queue.ready("rush").await.unwrap()), (1, 0));
}

async fn stopping_at_any_moment_ends_every_consumer(rabbit: &Rabbit) {
    let classes: Vec<Class> = (0..8).map(|i| Class { name: format!("c{i}"), weight: 1 }).collect();
    let settings = || AmqpSettings { classes: classes.clone(), ..settings(rabbit, "g") };
    let (sender, _) = amqp(settings());
    for class in &classes {
        sender.enqueue(&class.name, &message("waiting")).await.unwrap();
    }
    for round in 0..40 {
        let (queue, _) = amqp(settings());
        assert_eq!(queue.reaped().await.unwrap(), 0, "orders counted as deadly in round {round}");
        let mut orders = queue.consume(&classes, 5).await.unwrap();
        tokio::time::sleep(Duration::from_micros(scrambled(round) % 15_000)).await;
        queue.stop().await;
        let mut held = Vec::new();
        while let Some(got) = timeout(Duration::from_secs(10), orders.recv()).await.expect("a consumer lives")
        {
            held.push(got);
        }
        assert!(held.len() <= classes.len(), "an order came twice");
        for got in held {
            assert!(got.receipt.holds() && got.receipt.requeue().await.unwrap());
        }
    }
}

async fn a_memory_alarm_leaves_one_message_in_line(rabbit: &Rabbit) {
    let patience = Duration::from_secs(1);
    let (queue, metrics) = amqp(AmqpSettings { patience, ..settings(rabbit, "e") });
    queue.enqueue("rush", &message("1")).await.unwrap();
    rabbit.control(&["set_vm_memory_high_watermark", "0.0001"]);
    let sender = queue.clone();
    let sending = tokio::spawn(async move { sender.enqueue("rush", &message("2")).await });
    tokio::time::sleep(patience * 4).await;
    assert!(!sending.is_finished(), "it is neither safe nor lost");
    assert_eq!(metrics.confirms.with_label_values(&["timeout"]).get(), 1);
    rabbit.control(&["set_vm_memory_high_watermark", "absolute", "512MB"]);
    sending.await.unwrap().unwrap();
    assert_eq!(metrics.confirms.with_label_values(&["ack"]).get(), 2);
    assert_eq!(queue.ready("rush").await.unwrap(), 2);
}

async fn enqueue_at_last(queue: &dyn Queue, text: &str) {
    let begin = Instant::now();
    while let Err(violation) = queue.enqueue("rush", &message(text)).await {
        assert!(begin.elapsed() < Duration::from_secs(60), "{violation}");
    }
}

async fn nothing_confirmed_is_lost_in_a_crash(rabbit: &mut Rabbit) {
    const ORDERS: usize = 200;
    let (queue, metrics) = amqp(settings(rabbit, "f"));
    let mut orders = queue.consume(&classes(), 5).await.unwrap();
    queue.enqueue("standard", &message("held")).await.unwrap();
    let held = next(&mut orders).await;
    assert!(held.receipt.holds());
    let receiving = tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        while seen.len() < ORDERS {
            let got = timeout(Duration::from_secs(60), orders.recv()).await.expect("orders are missing");
            let got = got.unwrap();
            // Only what was settled counts as seen: the rest comes again.
            if got.receipt.ack().await.unwrap_or(false) && got.message.body != "held" {
                seen.insert(got.message.body);
            }
        }
        seen.len()
    });
    for i in 0..ORDERS {
        if i == ORDERS / 2 {
            rabbit.crash();
            rabbit.restart();
        }
        enqueue_at_last(queue.as_ref(), &i.to_string()).await;
    }
    assert_eq!(receiving.await.unwrap(), ORDERS);
    assert!(!held.receipt.holds(), "a delivery of a connection that is gone cannot be settled");
    let reconnects: u64 = ["error", "connection", "consume"]
        .map(|reason| metrics.reconnects.with_label_values(&[reason]).get())
        .iter()
        .sum();
    assert!(reconnects >= 1);
}
