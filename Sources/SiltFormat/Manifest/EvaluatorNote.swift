/// Notes of `packing` about what a command measured (Formats/Silt.md, section 4.1): of another result they are not true any more.
package enum EvaluatorNote {
    /// The note that names what the command measures.
    package static let metric = "evaluator"
    /// How the names of notes about the numbers begin.
    package static let prefix = "evaluator_"

    /// Whether the note of this name is one of them.
    package static func isOne(_ name: String) -> Bool { name == metric || name.hasPrefix(prefix) }
}
