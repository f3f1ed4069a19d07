//! How every service's process begins and ends. In: the service's name and its own environment. Out: logs, metrics,
//! health on the admin port and a token that is cancelled by SIGTERM or SIGINT. Holds no rule of any service.

use anyhow::Context;
use axum::Router;
use shop_contract::{env, port};
use shop_kit_config::{ConfigError, Env};
use shop_kit_http::{Drain, Face, Health, admin_router, serve};
use shop_kit_telemetry::{Metrics, start_logs};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What every service reads besides its own settings.
#[derive(Clone, Debug)]
pub struct ProcessSettings {
    pub listen: SocketAddr,
    pub listen_admin: SocketAddr,
    pub log: String,
}

/// A process that has begun.
pub struct Process {
    pub service: &'static str,
    pub settings: ProcessSettings,
    pub metrics: Metrics,
    pub health: Health,
    /// Cancelled when the process is told to end.
    pub stop: CancellationToken,
}

impl ProcessSettings {
    pub fn read(env: &Env) -> Option<Self> {
        let any = |port| SocketAddr::from(([0, 0, 0, 0], port));
        let listen = env.parsed_or(env::LISTEN, any(port::SERVICE));
        let listen_admin = env.parsed_or(env::LISTEN_ADMIN, any(port::SERVICE_ADMIN));
        let log = env.optional(env::LOG).unwrap_or_else(|| "info".to_owned());
        Some(Self {
            listen: listen?,
            listen_admin: listen_admin?,
            log,
        })
    }
}

/// Reads a service's settings together with the process's own, so that all problems come at once.
pub fn settings<T>(read: impl FnOnce(&Env) -> Option<T>) -> Result<(ProcessSettings, T), ConfigError> {
    let env = Env::process();
    let (process, own) = (ProcessSettings::read(&env), read(&env));
    env.finish(process.zip(own))
}

/// The end of `main`: one line that says why, without a backtrace.
pub fn finish(ended: anyhow::Result<()>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Logs only, for verbs that end by themselves.
pub fn logs(settings: &ProcessSettings) -> anyhow::Result<()> {
    start_logs(&settings.log)
}

impl Process {
    /// Starts logs, signals and the admin server.
    pub async fn begin(service: &'static str, settings: ProcessSettings) -> anyhow::Result<Self> {
        start_logs(&settings.log)?;
        let (metrics, health, stop) = (Metrics::new(service)?, Health::default(), CancellationToken::new());
        stop_on_signal(stop.clone())?;
        let admin = bind(settings.listen_admin).await?;
        let router = admin_router(health.clone(), metrics.clone());
        tokio::spawn(async move { axum::serve(admin, router).await });
        Ok(Self {
            service,
            settings,
            metrics,
            health,
            stop,
        })
    }

    /// Serves the API until told to stop, then drains.
    pub async fn serve(&self, router: Router) -> anyhow::Result<()> {
        let listener = bind(self.settings.listen).await?;
        tracing::info!(service = self.service, listen = %self.settings.listen, "serving");
        let router = Face::new(self.service, self.metrics.clone()).around(router);
        serve(
            listener,
            router,
            self.health.clone(),
            self.stop.clone(),
            Drain::default(),
        )
        .await?;
        Ok(())
    }

    /// Runs background work until told to stop, then gives it `limit` to finish what it holds.
    pub async fn work(&self, work: impl Future<Output = anyhow::Result<()>>, limit: Duration) -> anyhow::Result<()> {
        tracing::info!(service = self.service, "working");
        self.health.set_ready(true);
        let stop = self.stop.clone();
        let late = async {
            stop.cancelled().await;
            self.health.set_ready(false);
            tokio::time::sleep(limit).await;
        };
        tokio::select! {
            done = work => done,
            () = late => {
                tracing::warn!(limit_s = limit.as_secs(), "work still under way was cut off");
                Ok(())
            }
        }
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}
