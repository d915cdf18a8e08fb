package import Workers
internal import Processes
package import TensorTypes

/// Measures models by a command: the usual harnesses, or a script.
///
/// `{model}` in the command becomes the model's directory. The last line that it prints is a number, or a JSON object with a
/// number `value` (and a name `metric`), or with one number only.
package struct ExternalEvaluator: Sendable {
    /// What the command said.
    package struct Outcome: Sendable {
        package let metric: String
        package let value: Double
    }

    package static let place = "{model}"
    private let command: String

    /// - Throws: `usage` if the command has no place for the model.
    package init(_ command: String) throws(SiltError) {
        guard command.contains(ExternalEvaluator.place) else {
            throw SiltError(
                .usage, "the evaluator's command does not contain {model}",
                advice: "write {model} where the command takes the model's directory")
        }
        self.command = command
    }

    /// Runs the command on the model in directory `path`; it ends early if the work is cancelled.
    package func evaluate(_ path: String, _ cancellation: Cancellation) throws(SiltError) -> Outcome {
        let line = command.split(separator: ExternalEvaluator.place, omittingEmptySubsequences: false)
            .joined(separator: ShellWord.quoted(path))
        let outcome = try Command(line).run { cancellation.isRequested }
        // What it said before it was stopped is no news.
        try cancellation.check()
        guard outcome.status == 0 else {
            let reason = outcome.status > 128 ? "signal \(outcome.status - 128)" : "exit status \(outcome.status)"
            throw SiltError(.usage, "the evaluator failed (\(reason)): \(line)")
        }
        let lines = outcome.output.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
        guard let last = lines.last(where: { !ExternalEvaluator.trimmed($0).isEmpty }) else {
            throw refuse("printed nothing")
        }
        guard let parsed = ExternalEvaluator.parse(ExternalEvaluator.trimmed(last)) else {
            throw refuse("printed \"\(last.prefix(200))\" as its last line")
        }
        return parsed
    }

    private func refuse(_ what: String) -> SiltError {
        SiltError(
            .usage, "the evaluator \(what), which has no number: \(command)",
            advice: "its last line must be a number, or JSON like {\"metric\": \"accuracy\", \"value\": 0.79}")
    }

    private static func trimmed(_ line: String) -> String {
        let blank: Set<Character> = [" ", "\t", "\r"]
        return String(line.drop { blank.contains($0) }.reversed().drop { blank.contains($0) }.reversed())
    }

    /// What a line says; nil if it has no finite number.
    package static func parse(_ line: String) -> Outcome? {
        if let value = Double(line) { return value.isFinite ? Outcome(metric: "value", value: value) : nil }
        guard let json = try? JSONValue(parsing: Array(line.utf8)), case .object(let members) = json else { return nil }
        if let value = json["value"]?.double {
            guard case .string(let name)? = json["metric"], isName(name) else {
                return Outcome(metric: "value", value: value)
            }
            return Outcome(metric: name, value: value)
        }
        let numbers = members.compactMap { member in member.value.double.map { (member.key, $0) } }
        guard numbers.count == 1, let (name, value) = numbers.first else { return nil }
        return Outcome(metric: isName(name) ? name : "value", value: value)
    }

    /// Whether a file can record the name (Formats/Silt.md, section 12.9).
    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F || byte == 0x2E
                    || byte == 0x2D
            }
    }
}
