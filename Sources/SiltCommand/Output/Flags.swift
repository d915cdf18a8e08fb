internal import Processes
internal import SiltPacking
internal import SiltTuning
internal import TensorTypes

/// What users of the command type for options of the library.
enum Flags {
    /// Where the command has another word than the library.
    private static let renamed = [
        "adapter": "lora", "choice": "choose", "correctsBias": "correct-bias", "divergenceWithin": "kl-within",
        "isTrainable": "trainable", "log": "verbose", "makesNewHead": "new-head", "metricWithin": "accuracy-within",
        "newRate": "head-lr", "rate": "lr", "replaceExisting": "force", "rescale": "q", "resumes": "resume",
        "rule": "q",
        "ruleScope": "per", "stored": "dtype", "warmUp": "warmup",
    ]

    /// The flag of an option: the library's name with hyphens, unless it has another.
    static func flag(_ name: String) -> String {
        if let word = renamed[name] { return "--" + word }
        var flag = "--"
        for letter in name { flag += letter.isUppercase ? "-" + letter.lowercased() : String(letter) }
        return flag
    }

    /// A text of the library, with flags for the options that it is about.
    static func worded(_ text: String) -> String { OptionName.rendered(text) { flag($0.rawValue) } }

    /// The words that `silt pack` takes for a way of packing, as a shell has them.
    ///
    /// - Parameters:
    ///   - calibration: the data, where it needs them; nil leaves them out.
    ///   - validation: the labelled data, where it needs them.
    ///   - examples: how many of them are read.
    static func text(
        _ choice: PackingChoice, calibration: String? = nil, validation: String? = nil, examples: Int? = nil
    ) -> String {
        var words = LossyOption.all.flatMap { option -> [String] in
            option.told(choice.lossy).map { given(flag(option.name), $0) } ?? []
        }
        if let rule = choice.rule { words += ["--q", rule.rawValue] }
        if let scope = choice.scope { words += ["--per", scope.rawValue] }
        if let multiplier = choice.multiplier { words += ["--multiplier", LossyOption.plain(multiplier)] }
        if choice.correctsBias { words.append("--correct-bias") }
        if choice.needsData, let calibration {
            words += ["--calibration", ShellWord.quoted(calibration)]
            if choice.rule == .labelled, let validation { words += ["--validation", ShellWord.quoted(validation)] }
            if let examples { words += ["--examples", "\(examples)"] }
        }
        return words.joined(separator: " ")
    }

    private static func given(_ flag: String, _ value: JSONValue) -> [String] {
        switch value {
        case .bool(let isSet): isSet ? [flag] : []
        case .integer(let number): [flag, "\(number)"]
        case .number(let number): [flag, LossyOption.plain(number)]
        case .string(let text): [flag, ShellWord.quoted(text)]
        case .null, .array, .object: []
        }
    }
}
