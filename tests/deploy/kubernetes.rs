//! The manifests: what Kubernetes and KEDA take, and whether they name what is there.

use crate::{fields, kind, passes, root, yaml};
use presswork::edge::queue::topology::Names;
use serde_json::Value;
use std::path::Path;

#[test]
fn keda_takes_the_scaler() {
    let documents = yaml("deploy/k8s/scaledobject.yaml");
    assert_eq!(documents.len(), 2);
    for document in &documents {
        fields(document, &["apiVersion", "kind", "metadata", "spec"]);
        assert_eq!(document["apiVersion"], "keda.sh/v1alpha1");
    }
    let (scaled, login) = (kind(&documents, "ScaledObject"), kind(&documents, "TriggerAuthentication"));
    let spec = &scaled["spec"];
    let known =
        ["scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "advanced", "triggers"];
    fields(spec, &known);
    let worker = yaml("deploy/k8s/worker.yaml");
    assert_eq!(spec["scaleTargetRef"]["name"], kind(&worker, "Deployment")["metadata"]["name"]);
    let (least, most) =
        (spec["minReplicaCount"].as_u64().unwrap(), spec["maxReplicaCount"].as_u64().unwrap());
    assert!(least <= most && spec["pollingInterval"].as_u64().unwrap() > 0);
    let behavior = &spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"];
    for policy in behavior["scaleDown"]["policies"].as_array().unwrap() {
        fields(policy, &["type", "value", "periodSeconds"]);
        assert!(["Percent", "Pods"].contains(&policy["type"].as_str().unwrap()));
    }

    // Several triggers would take the largest queue, not the sum.
    let triggers = spec["triggers"].as_array().unwrap();
    assert_eq!(triggers.len(), 1);
    let trigger = &triggers[0];
    fields(trigger, &["type", "metadata", "authenticationRef"]);
    assert_eq!(trigger["type"], "rabbitmq");
    let metadata = &trigger["metadata"];
    // Everything that the scaler reads of a trigger, but what stands in its authentication.
    let known = [
        "queueName",
        "mode",
        "value",
        "activationValue",
        "protocol",
        "vhostName",
        "useRegex",
        "pageSize",
        "operation",
        "timeout",
        "excludeUnacknowledged",
        "unsafeSsl",
    ];
    let given = fields(metadata, &known);
    for field in given {
        assert!(metadata[field].is_string(), "{field}: KEDA takes text alone");
    }
    assert_eq!(
        metadata["protocol"], "http",
        "regular expressions and unsettled messages need the management API"
    );
    assert_eq!((&metadata["useRegex"], &metadata["operation"]), (&"true".into(), &"sum".into()));
    assert_eq!(metadata["mode"], "QueueLength");
    assert!(metadata["value"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
    let queues = regex::Regex::new(metadata["queueName"].as_str().unwrap()).unwrap();
    let names = Names::new("presswork");
    for wanted in [names.class("standard"), names.class("rush"), names.reaper()] {
        assert!(queues.is_match(&wanted), "{wanted}");
    }
    for other in [names.orders(), names.results(), names.dead(), names.delay(0), "other.reaper".into()] {
        assert!(!queues.is_match(&other), "{other}");
    }

    assert_eq!(trigger["authenticationRef"]["name"], login["metadata"]["name"]);
    fields(&login["spec"], &["secretTargetRef"]);
    let secrets = login["spec"]["secretTargetRef"].as_array().unwrap();
    assert_eq!(secrets.len(), 1);
    fields(&secrets[0], &["parameter", "name", "key"]);
    assert_eq!(secrets[0]["parameter"], "host");
}

#[test]
fn kubernetes_takes_the_worker() {
    let program = root().join(".tools/bin/kubernetes-validate");
    for file in ["deploy/k8s/worker.yaml", "deploy/k8s/setup.yaml"] {
        passes(&program, "scripts/fleet-tools", &["--strict", file]);
    }
}

#[test]
fn what_the_manifests_name_is_in_one_of_them() {
    let (worker, setup) = (yaml("deploy/k8s/worker.yaml"), yaml("deploy/k8s/setup.yaml"));
    let name = |document: &Value| document["metadata"]["name"].clone();
    let pod = &kind(&worker, "Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], name(kind(&setup, "ServiceAccount")));
    let volume = |field: &str| {
        let volumes = pod["volumes"].as_array().unwrap().iter();
        volumes.filter_map(|volume| volume.get(field)).next().unwrap_or_else(|| panic!("no {field}"))
    };
    assert_eq!(volume("persistentVolumeClaim")["claimName"], name(kind(&setup, "PersistentVolumeClaim")));
    let secret = kind(&setup, "Secret");
    assert_eq!(volume("secret")["secretName"], name(secret));
    assert_eq!(pod["containers"][0]["envFrom"][0]["configMapRef"]["name"], name(kind(&worker, "ConfigMap")));
    // The keys that are read of the secret: by the worker as a file, by KEDA by name.
    let keys = fields(&secret["stringData"], &["amqp-url", "management-url"]);
    let file = kind(&worker, "ConfigMap")["data"]["PRESSWORK_AMQP_URL_FILE"].as_str().unwrap();
    assert!(keys.contains(Path::new(file).file_name().unwrap().to_str().unwrap()), "{file}");
    let scaler = yaml("deploy/k8s/scaledobject.yaml");
    let wanted = &kind(&scaler, "TriggerAuthentication")["spec"]["secretTargetRef"][0];
    assert_eq!(wanted["name"], name(secret));
    assert!(keys.contains(wanted["key"].as_str().unwrap()));
}
