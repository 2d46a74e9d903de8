//! The command line: every command, option and default. Wrong usage ends with exit code 2 before anything is done.

mod lab;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::lab::{Bench, Logits, Mode, Tokenize};

/// A tutor that works without the internet, for terminals.
#[derive(Debug, Parser)]
#[command(name = "aula", version, propagate_version = true)]
pub struct Aula {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask one question; the answer is streamed
    Ask(Ask),
    /// Talk with the tutor
    Chat(Chat),
    /// Make a quiz, exercises, a mind map, an illustration, flashcards or a sheet, with the window's settings
    Make(Make),
    /// Show what this computer is made of, which models fit and which one is used
    Doctor(Doctor),
    /// Installed models
    #[command(subcommand)]
    Models(Models),
    /// The profile of the person who uses this computer
    #[command(subcommand)]
    Profile(Profile),
    /// Answer the first run beforehand, for installing many computers
    Setup(Setup),
    /// Measure a model: loading, first token, tokens a second, memory
    Bench(Bench),
    /// Write a model's logits for given token ids to a file
    Logits(Logits),
    /// Turn text into token ids, printed as JSON
    Tokenize(Tokenize),
}

/// Where to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Device {
    /// The best that this build can use
    Auto,
    /// The processor
    Cpu,
    /// An NVIDIA card
    Cuda,
    /// An Apple graphics processor
    Metal,
}

/// Languages of the tutor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Spanish
    Es,
    /// English
    En,
    /// Portuguese
    Pt,
}

/// Which model answers, where, and how.
#[derive(Debug, Args)]
pub struct Engine {
    /// A GGUF file; without it, the model that the app would use
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Where to compute
    #[arg(long, value_enum, default_value = "auto")]
    pub device: Device,
    /// Prompt and reply together, in tokens
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = api::lab::DEFAULT_CONTEXT_LEN)]
    pub context: usize,
    /// Language of the tutor; without it, the system's
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
    /// Reply cap in tokens
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = api::lab::DEFAULT_MAX_TOKENS)]
    pub max_tokens: usize,
    /// 0 always takes the most likely token
    #[arg(long, value_name = "T", value_parser = temperature, default_value_t = 1.0)]
    pub temperature: f32,
    /// Draw from the most likely tokens that together reach this probability
    #[arg(long, value_name = "P", value_parser = probability, default_value_t = 0.95)]
    pub top_p: f32,
    /// Draw from this many most likely tokens; 0 means all
    #[arg(long, value_name = "K", default_value_t = 64)]
    pub top_k: usize,
    /// The same seed gives the same answer
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Instructions instead of the tutor's own
    #[arg(long, value_name = "TEXT", conflicts_with = "no_system")]
    pub system: Option<String>,
    /// No instructions at all
    #[arg(long)]
    pub no_system: bool,
}

/// `aula ask`
#[derive(Debug, Args)]
pub struct Ask {
    /// The question
    #[arg(value_parser = not_blank)]
    pub question: String,
    /// Engine options.
    #[command(flatten)]
    pub engine: Engine,
    /// Print one JSON object at the end instead of streaming
    #[arg(long)]
    pub json: bool,
}

/// `aula chat`
#[derive(Debug, Args)]
pub struct Chat {
    /// Engine options.
    #[command(flatten)]
    pub engine: Engine,
}

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// Questions with four answers
    Quiz,
    /// Three exercises
    Practice,
    /// A tree of ideas
    MindMap,
    /// A drawing
    Illustration,
    /// Cards with a front and a back
    Flashcards,
    /// A lesson or exam sheet, for adult profiles
    Sheet,
}

/// How hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MakeLevel {
    /// To begin with
    Easy,
    /// As in class
    Medium,
    /// To think about
    Hard,
}

/// Who makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The model of this computer
    Local,
    /// Cloud Boost, where Settings choose it
    Cloud,
    /// The school's server, where Settings choose it
    School,
}

/// `aula make`
#[derive(Debug, Args)]
pub struct Make {
    /// What is made
    #[arg(value_enum)]
    pub tool: Tool,
    /// What about
    #[arg(value_parser = not_blank)]
    pub topic: String,
    /// Questions of a quiz (3, 5, 10) or a sheet (3, 5, 7, 10), or cards (5, 8, 12)
    #[arg(long, value_name = "N")]
    pub count: Option<u8>,
    /// How hard a quiz or exercises are
    #[arg(long, value_enum, default_value = "medium")]
    pub level: MakeLevel,
    /// School year of a sheet
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u8).range(1..=12), default_value_t = 6)]
    pub grade: u8,
    /// Language; without it, the one chosen in Settings
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
    /// Who makes it; without it, as chosen in Settings
    #[arg(long, value_enum)]
    pub engine: Option<By>,
    /// Save it as a file: .svg or .png of a drawing, .pdf of a sheet, .md of everything but illustrations
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `aula doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// Context length that the models are judged at, in tokens
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = api::lab::DEFAULT_CONTEXT_LEN)]
    pub context: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `aula models …`
#[derive(Debug, Subcommand)]
pub enum Models {
    /// List installed models
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what a GGUF file is and what it needs
    Inspect {
        /// The file
        file: PathBuf,
        /// Context length that the need for memory is given at, in tokens
        #[arg(long, value_name = "N", value_parser = positive, default_value_t = api::lab::DEFAULT_CONTEXT_LEN)]
        context: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the models that can be downloaded, and whether they fit; opens no connection
    Offers {
        /// Context length that the need for memory is given at, in tokens
        #[arg(long, value_name = "N", value_parser = positive, default_value_t = api::lab::DEFAULT_CONTEXT_LEN)]
        context: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download a model; what has arrived is kept, and the same command goes on
    Pull {
        /// Its id, as `aula models offers` shows it
        id: String,
        /// Open the network to this download, and close it again at its end
        #[arg(long)]
        allow_network: bool,
        /// The hub to download from, instead of the one in aula.toml
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
        /// Most kilobytes (1000 bytes) in a second
        #[arg(long, value_name = "KB", value_parser = clap::value_parser!(u32).range(1..))]
        limit: Option<u32>,
        /// Show no progress
        #[arg(long)]
        quiet: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy a model into the models folder: a GGUF file, or what `aula models export` wrote
    Import {
        /// The file, the manifest of an export, or a folder with one model in it
        path: PathBuf,
        /// Show no progress
        #[arg(long)]
        quiet: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy an installed model with its checksums to a disk, for another computer
    Export {
        /// Its id, as `aula models list` shows it
        id: String,
        /// The disk or folder; a folder AULA is made there
        dir: PathBuf,
        /// Show no progress
        #[arg(long)]
        quiet: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare an installed model with the checksums that were recorded when it came in
    Verify {
        /// Its id, as `aula models list` shows it
        id: String,
        /// Show no progress
        #[arg(long)]
        quiet: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete an installed model
    Remove {
        /// Its id, as `aula models list` shows it
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// `aula profile …`
#[derive(Debug, Subcommand)]
pub enum Profile {
    /// Remove the PIN, for the person who looks after this computer; everything else stays
    ResetPin {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// `aula setup`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("kind").required(true))]
pub struct Setup {
    /// Language of the window and the tutor
    #[arg(long, value_enum)]
    pub language: Lang,
    /// A student uses this computer
    #[arg(long, group = "kind")]
    pub learner: bool,
    /// A teacher or a family uses this computer
    #[arg(long, group = "kind")]
    pub adult: bool,
    /// What the tutor calls the person; without it, the name stays as it is
    #[arg(long)]
    pub name: Option<String>,
    /// The first run is finished with this, and the window does not show it
    #[arg(long)]
    pub done: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number".to_owned()),
    }
}

fn temperature(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("must be a number from 0 up".to_owned()),
    }
}

fn probability(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(number) if number > 0.0 && number <= 1.0 => Ok(number),
        _ => Err("must be a number above 0 and up to 1".to_owned()),
    }
}

fn not_blank(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("the question is empty".to_owned()) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Aula::command().debug_assert();
    }

    fn rejected(line: &str) -> clap::error::ErrorKind {
        Aula::try_parse_from(line.split(' ')).expect_err(line).kind()
    }

    #[test]
    fn wrong_usage_is_rejected() {
        use clap::error::ErrorKind;
        assert_eq!(rejected("aula ask hola --temperature -1"), ErrorKind::UnknownArgument);
        assert_eq!(rejected("aula ask hola --temperature=-1"), ErrorKind::ValueValidation);
        assert_eq!(rejected("aula ask hola --temperature nan"), ErrorKind::ValueValidation);
        assert_eq!(rejected("aula ask hola --top-p 0"), ErrorKind::ValueValidation);
        assert_eq!(rejected("aula ask hola --top-p 1.5"), ErrorKind::ValueValidation);
        assert_eq!(rejected("aula ask hola --max-tokens 0"), ErrorKind::ValueValidation);
        assert_eq!(rejected("aula ask hola --device npu"), ErrorKind::InvalidValue);
        assert_eq!(rejected("aula ask hola --lang fr"), ErrorKind::InvalidValue);
        assert_eq!(rejected("aula ask hola --system a --no-system"), ErrorKind::ArgumentConflict);
        assert_eq!(rejected("aula ask"), ErrorKind::MissingRequiredArgument);
        assert_eq!(rejected("aula logits --model m --tokens 2,x --out o"), ErrorKind::ValueValidation);
        assert_eq!(rejected("aula logits --model m --tokens 2,-1 --out o"), ErrorKind::ValueValidation);
        assert_eq!(rejected("aula logits --model m --out o"), ErrorKind::MissingRequiredArgument);
        assert_eq!(rejected("aula bench"), ErrorKind::MissingRequiredArgument);
        assert_eq!(rejected("aula bench --model m --bandwidth"), ErrorKind::ArgumentConflict);
        assert_eq!(rejected("aula bench --model m --verify 18"), ErrorKind::ValueValidation);
        assert_eq!(rejected("aula models pull"), ErrorKind::MissingRequiredArgument);
        assert_eq!(rejected("aula models pull x --limit 0"), ErrorKind::ValueValidation);
        assert_eq!(rejected("aula setup --language es"), ErrorKind::MissingRequiredArgument);
        assert_eq!(rejected("aula setup --adult"), ErrorKind::MissingRequiredArgument);
        assert_eq!(rejected("aula setup --language es --adult --learner"), ErrorKind::ArgumentConflict);
        assert_eq!(rejected("aula models fetch x"), ErrorKind::InvalidSubcommand);
    }

    #[test]
    fn token_ids_are_read() {
        let aula = Aula::try_parse_from("aula logits --model m --tokens 2,9259,1902 --out o --last".split(' '));
        let Ok(Aula { command: Command::Logits(logits) }) = aula else { panic!("{aula:?}") };
        assert_eq!(logits.tokens, [2, 9259, 1902]);
        assert!(logits.last && logits.mode == Mode::Prefill && !logits.reference);
    }
}
