import Safetensors
import TensorTypes
import TestSupport
import Testing
import Transformers

/// Committed models, and what tests do with them.
enum Models {
    /// The model of a committed directory.
    static func load(_ path: String) throws -> TransformerModel {
        try TransformerModel(configuration(path), weights(path))
    }

    static func configuration(_ path: String) throws -> ModelConfiguration {
        let text = try #require(Repository.bytes(path + "/config.json"))
        return try ModelConfiguration(JSONValue(parsing: text), file: "config.json")
    }

    static func weights(_ path: String) throws -> WeightTable {
        try WeightTable(reading: Checkpoint(at: Repository.path(path)))
    }

    /// A configuration from the text of a config.json.
    static func configuration(text: String) throws -> ModelConfiguration {
        try ModelConfiguration(JSONValue(parsing: Array(text.utf8)), file: "config.json")
    }

    /// Examples of different lengths, padded with 0 at the end.
    static func data(_ sequences: [[Int32]], labels: Labels? = nil) throws -> TokenData {
        let length = sequences.map(\.count).max() ?? 0
        return try TokenData(
            ids: sequences.flatMap { $0 + Array(repeating: 0, count: length - $0.count) },
            mask: sequences.flatMap { $0.map { _ in true } + Array(repeating: false, count: length - $0.count) },
            length: length, labels: labels)
    }

    /// The logits and the last hidden state of all examples.
    static func run(
        _ model: TransformerModel, _ data: TokenData, tokens: Int = 1_024
    ) throws -> (logits: [Float], hidden: [Float]) {
        let workspace = ForwardWorkspace()
        var result: (logits: [Float], hidden: [Float]) = ([], [])
        for batch in try data.batches(tokens: tokens, for: model) {
            model.forward(batch, workspace)
            result.logits += workspace.logits.values
            result.hidden += workspace.hidden.values
        }
        return result
    }

    /// Calls `body` with values as logits, in rows of `columns`.
    static func rows<Result>(
        _ values: [Float], _ columns: Int, level: KernelLevel = .best, _ body: (LogitRows) throws -> Result
    ) throws -> Result {
        try unsafe values.withUnsafeBufferPointer { buffer in
            let start = try unsafe #require(buffer.baseAddress)
            return try body(unsafe LogitRows(start, rows: values.count / columns, columns: columns, level: level))
        }
    }

    /// The largest difference.
    static func distance(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
    }

    /// Four reviews as tokens of the small models.
    static let reviews: [[Int32]] = [
        [2, 1340, 78, 679, 76, 43, 3790, 853, 75, 78, 397, 352, 43, 961, 74, 443, 487, 934, 2192, 18, 3],
        [2, 134, 268, 242, 1874, 197, 1946, 2477, 604, 3974, 18, 104, 1705, 171, 75, 3029, 151, 143, 934, 3867, 18, 3],
        [
            2, 169, 51, 343, 2391, 75, 100, 1497, 126, 105, 74, 103, 3646, 51, 672, 175, 2602, 100, 1340, 215, 51, 78,
            1049, 163, 278, 10, 1884, 1165, 2602, 100, 2391, 99, 2816, 841, 140, 1840, 1316, 4041, 287, 771, 18, 3,
        ],
        [
            2, 197, 21, 18, 446, 3572, 2507, 74, 1790, 2393, 92, 101, 73, 1261, 804, 3592, 77, 1965, 84, 43, 920, 1808,
            107, 137, 3582, 74, 192, 1158, 18, 3,
        ],
    ]
    /// What transformers 5.23 makes of them with small-foods, in F32.
    static let logits: [Float] = [
        -0.0714993924, 0.0964881778, -0.932287693, 1.23539400, -0.902223706, 1.20211220, -0.974155486, 1.29222953,
    ]
    /// Twelve tokens for the tiny models that lie with the tests beside other libraries.
    static let twelve: [Int32] = (0..<12).map { $0 * 7 % 48 }
}
