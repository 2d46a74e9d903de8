//! `aula make`

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::dto::{
    AboutInput, BadgeKind, Creation, ExportFormat, IpcError, Language, Level, SheetForm, ToolEvent, ToolInput,
};
use api::places::Places;
use api::{App, AppOptions, Elsewhere, InstalledModels, LocalTransfers, NoPicker, WorkerCommand};
use tokio::sync::mpsc;

use crate::args::{By, Lang, Make, MakeLevel, Tool};
use crate::interrupts::Interrupts;
use crate::output::{Failure, note, print_all, print_json, status_line};

/// Makes something the way the window does: with its settings, its engines and its list.
pub async fn run(args: Make) -> Result<(), Failure> {
    let format = args.out.as_deref().map(|path| format_of(path, args.tool)).transpose()?;
    let places = Places::of_this_user()?;
    let mut interrupts = Interrupts::listen();
    let transfers = LocalTransfers::new(&places);
    let app = App::start(AppOptions {
        models: Arc::new(InstalledModels::new(&places, WorkerCommand::current_exe())),
        elsewhere: Elsewhere::of_this_user(transfers.client()),
        transfers: Arc::new(transfers),
        picker: Arc::new(NoPicker),
        locale: Some(args.lang.map_or_else(system_locale, |lang| locale(lang).to_owned())),
        data_dir: places.data_dir,
    })
    .await;
    let made = make(&app, &args, &mut interrupts).await;
    let shown = match made {
        Ok(Some(creation)) => show(creation, &args, format).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    app.close().await;
    shown
}

/// What came; none where the person stopped it.
async fn make(app: &App, args: &Make, interrupts: &mut Interrupts) -> Result<Option<Creation>, Failure> {
    let (sender, mut events) = mpsc::unbounded_channel();
    let sink = move |event: ToolEvent| sender.send(event).is_ok();
    let language = args.lang.map(Language::from);
    let ticket = api::tools::start_in(app, input(args), args.engine.map(badge), language, sink).await;
    let ticket = ticket.map_err(failure)?;
    let shows = std::io::stderr().is_terminal();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = interrupts.next() => {
                api::tools::cancel(app, &ticket.request_id).await.map_err(failure)?;
                continue;
            }
        };
        match event {
            Some(ToolEvent::Finished { creation }) => {
                if shows {
                    status_line("");
                }
                return Ok(Some(creation));
            }
            Some(ToolEvent::Cancelled) => return Ok(None),
            Some(ToolEvent::Failed { error, instead }) => {
                let mut failure = failure(error);
                if instead.is_some() {
                    failure = failure.with_hint("Repeat with `--engine local` to do it on this computer");
                }
                return Err(failure);
            }
            Some(ToolEvent::Writing { characters, items, of }) if shows => {
                let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
                status_line(&format!("{items}{of}, {characters} characters"));
            }
            Some(_) => {}
            None => return Err(Failure::new("the tool ended without saying why", "Please report this defect")),
        }
    }
}

async fn show(creation: Creation, args: &Make, format: Option<ExportFormat>) -> Result<(), Failure> {
    let language = Lang::or_system(args.lang).into();
    if let (Some(path), Some(format)) = (&args.out, format) {
        let bytes = api::creations::file(creation.clone(), format, language).await.map_err(failure)?;
        write_whole(path, &bytes).map_err(|error| {
            Failure::new(
                format!("`{}` could not be written: {error}", path.display()),
                "Make room on the disk, or choose another place with --out",
            )
        })?;
    }
    if args.json {
        return print_json(&creation);
    }
    if args.out.is_none() {
        let format = if args.tool == Tool::Illustration { ExportFormat::Svg } else { ExportFormat::Markdown };
        let bytes = api::creations::file(creation.clone(), format, language).await.map_err(failure)?;
        print_all(&String::from_utf8_lossy(&bytes))?;
    }
    let badge = creation.summary.badge;
    let parts = [badge_name(badge.kind).to_owned(), badge.model, badge.device];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    note(&format!("[{}]", parts.join(" · ")));
    Ok(())
}

/// Writes a file beside `path` and gives it that name once it is whole: a full disk leaves an earlier file as it was.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        // The failure itself is what is told.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn input(args: &Make) -> ToolInput {
    let topic = args.topic.clone();
    let about = || AboutInput::Topic { topic: args.topic.clone() };
    let level = match args.level {
        MakeLevel::Easy => Level::Easy,
        MakeLevel::Medium => Level::Medium,
        MakeLevel::Hard => Level::Hard,
    };
    let count = |usual| args.count.unwrap_or(usual);
    match args.tool {
        Tool::Quiz => ToolInput::Quiz { topic, count: count(5), level },
        Tool::Practice => ToolInput::Practice { topic, level, used: Vec::new() },
        Tool::MindMap => ToolInput::MindMap { about: about() },
        Tool::Illustration => ToolInput::Illustration { about: about() },
        Tool::Flashcards => ToolInput::Flashcards { topic, count: count(8) },
        Tool::Sheet => ToolInput::Sheet { topic, grade: args.grade, count: count(5), form: SheetForm::Mixed },
    }
}

/// What the ending of `path` asks for.
fn format_of(path: &Path, tool: Tool) -> Result<ExportFormat, Failure> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let drawn = matches!(tool, Tool::MindMap | Tool::Illustration);
    match ending.as_str() {
        "svg" if drawn => Ok(ExportFormat::Svg),
        "png" if drawn => Ok(ExportFormat::Png),
        "md" if tool != Tool::Illustration => Ok(ExportFormat::Markdown),
        "pdf" if tool == Tool::Sheet => Ok(ExportFormat::StudentPdf),
        _ => Err(Failure::new(
            format!("this cannot be saved as `{}`", PathBuf::from(path).display()),
            "Drawings are saved as .svg or .png, sheets as .pdf or .md, everything else as .md",
        )),
    }
}

fn failure(error: IpcError) -> Failure {
    let hint = error.hint.unwrap_or_else(|| "See what the command takes with `--help`".to_owned());
    Failure::new(error.message, hint)
}

fn badge(by: By) -> BadgeKind {
    match by {
        By::Local => BadgeKind::Local,
        By::Cloud => BadgeKind::Cloud,
        By::School => BadgeKind::School,
    }
}

fn badge_name(kind: BadgeKind) -> &'static str {
    match kind {
        BadgeKind::Local => "Local",
        BadgeKind::Demo => "Demo",
        BadgeKind::Cloud => "Cloud",
        BadgeKind::School => "School",
    }
}

fn locale(lang: Lang) -> &'static str {
    match lang {
        Lang::Es => "es",
        Lang::En => "en",
        Lang::Pt => "pt",
    }
}

fn system_locale() -> String {
    locale(Lang::or_system(None)).to_owned()
}
