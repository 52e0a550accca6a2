//! What can be wrong with an env file.

/// A line of an env file that cannot be read. The line itself is not shown: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {wrong}")]
pub struct EnvFileError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// A name with something in it that no name has.
    #[error("this line is no NAME=value: a name has letters, digits, `_`, `.` and `-`")]
    Name,
    /// A line that begins with `=`.
    #[error("this line has no name in front of its `=`")]
    NoName,
    /// A quote that nothing ends.
    #[error("this value does not end the quote that it begins")]
    Quote,
    /// A `${` that begins nothing that can be substituted.
    #[error("this value has a `${{` that names no variable, or that no `}}` ends")]
    Template,
    /// `${NAME:?message}` where it is not set.
    #[error("this value needs {name}, which is not set{}", .message.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Required {
        /// The variable.
        name: String,
        /// What the file says about it, if it is a plain text.
        message: Option<String>,
    },
    /// A byte of value 0.
    #[error("this value has a byte of value 0, which no environment can hold")]
    Nul,
    /// Bytes that are no UTF-8.
    #[error("this line is not written in UTF-8")]
    NotUtf8,
    /// Templates within templates beyond all measure.
    #[error("this value has too many templates within each other")]
    TooDeep,
}

impl Wrong {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Name | Self::NoName => "write NAME=value, and # in front of a comment",
            Self::Quote => "end it; within single quotes write \\' for one, or take double quotes around",
            Self::Template => "write ${NAME}, ${NAME:-default}; $$ stands for a dollar sign, and within '…' each does",
            Self::Required { .. } => {
                "set it above, in an env file before this one, or name it in the stack's `inherit`"
            }
            Self::Nul => "take it out; what is binary can be written in base64",
            Self::NotUtf8 => "save the file as UTF-8",
            Self::TooDeep => "give the parts names of their own",
        }
    }
}
