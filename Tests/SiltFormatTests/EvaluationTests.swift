@testable import SiltFormat
import TensorTypes
import TestSupport
import Testing

@Suite("Evaluations in the manifest (section 12.9)")
struct EvaluationTests {
    private let directory: TemporaryDirectory
    private let sample: SampleContainer

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleContainer()
    }

    private static let evaluations = [
        EvaluationRecord(
            data: String(repeating: "a1", count: 32), use: .validation, metric: "accuracy", examples: 872, base: 0.509,
            fineTuned: 0.1 + 0.2, rebuilt: 0.922),
        EvaluationRecord(
            data: String(repeating: "a1", count: 32), use: .test, metric: "accuracy", examples: .max, base: nil,
            fineTuned: -1, rebuilt: .leastNonzeroMagnitude),
        EvaluationRecord(
            data: String(repeating: "00", count: 32), use: .calibration, metric: "kl.x_y-9", examples: 1, base: 0,
            fineTuned: 0, rebuilt: .greatestFiniteMagnitude),
    ]

    private func write(_ contract: Contract) throws {
        var manifest = sample.manifest
        manifest.contract = contract
        if contract == .lossy { manifest.files[0].sha256 = nil }
        manifest.evaluations = Self.evaluations
        let writer = try ContainerWriter(at: directory("x.silt"), replacing: true)
        for chunk in sample.chunks { _ = try writer.append(chunk) }
        _ = try writer.finish(manifest)
    }

    @Test("they come back from a lossy file, and an exact one has none")
    func roundTrip() throws {
        try write(.lossy)
        let manifest = try ContainerReader(directory("x.silt")).manifest
        #expect(manifest.evaluations == Self.evaluations)
        #expect(manifest.json["evaluations"]?.count == 3)
        // A writer opens what it has written.
        #expect(code { try write(.exact) } == .fault)
        _ = try sample.write(to: directory("y.silt"))
        let exact = try ContainerReader(directory("y.silt")).manifest
        #expect(exact.evaluations.isEmpty && exact.json["evaluations"] == nil)
    }

    /// What an array of evaluations is refused with; nil: it is read.
    private func refusal(_ array: String, _ contract: Contract = .lossy) throws -> SiltError? {
        let json = try JSONValue(parsing: Array("{\"evaluations\": \(array)}".utf8))
        return failure {
            var fields = try Fields(json, at: "manifest")
            _ = try ManifestParser.evaluations(&fields, contract)
            try fields.finish()
        }
    }

    private static let data = String(repeating: "0f", count: 32)
    private static let good =
        #""data": "\#(data)", "use": "test", "metric": "f1", "examples": 2, "finetuned": 1, "rebuilt": 0.5"#

    @Test(
        "what the text does not allow is refused, and the place is named",
        arguments: [
            ("\"f1\"", "\"F1\"", "metric"), ("\"f1\"", "\"\"", "metric"), ("\"f1\"", "\"f 1\"", "metric"),
            ("\"f1\"", "\"f1\\n\"", "metric"), ("\"f1\"", "\"é\"", "metric"), ("\"f1\"", "1", "metric"),
            ("\"test\"", "\"train\"", "use"), ("\"test\"", "\"Test\"", "use"), ("0f0f", "0F0f", "data"),
            ("0f0f", "0f0", "data"), ("0f0f", "0f0f0", "data"), ("2,", "0,", "examples"), ("2,", "-1,", "examples"),
            ("2,", "2.0,", "examples"), ("2,", "9223372036854775808,", "examples"), ("0.5", "\"0.5\"", "rebuilt"),
            ("0.5", "null", "rebuilt"), ("0.5", "true", "rebuilt"), ("1,", "[1],", "finetuned"),
            ("0.5", "0.5, \"base\": null", "base"), ("\"use\"", "\"x-use\"", "use"),
            ("\"rebuilt\"", "\"x-\"", "rebuilt"),
        ])
    func refused(old: String, new: String, field: String) throws {
        let changed = Self.good.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != Self.good)
        let error = try refusal("[{\(Self.good), \"x-\": 1, \"base\": 0}, {\(changed)}]")
        #expect(error?.code == .manifest)
        #expect(error?.message.contains("manifest.evaluations[1].\(field)") == true, "\(error?.message ?? "none")")
    }

    @Test("unknown fields are extensions, and those that begin with x- are ignored")
    func extensions() throws {
        #expect(try refusal("[{\(Self.good), \"seconds\": 3}]")?.code == .unknownExtension)
        #expect(try refusal("[{\(Self.good), \"x-seconds\": 3}]") == nil)
    }

    @Test("none, too many, and two of the same data, use and metric")
    func number() throws {
        #expect(try refusal("[]")?.code == .manifest)
        #expect(try refusal("{}")?.code == .manifest)
        #expect(try refusal("[1]")?.code == .manifest)
        func array(_ count: Int) -> String {
            let all = (0..<count).map { "{" + Self.good.replacing("f1", with: "f\($0)") + "}" }
            return "[\(all.joined(separator: ","))]"
        }
        #expect(try refusal(array(EvaluationRecord.limit)) == nil)
        #expect(try refusal(array(EvaluationRecord.limit + 1))?.code == .limit)
        let twice = try refusal("[{\(Self.good)}, {\(Self.good.replacing("0.5", with: "0.25"))}]")
        #expect(twice?.code == .manifest && twice?.message.contains("evaluations[1]") == true)
        for (old, new) in [("test", "validation"), ("f1", "f2"), ("0f0f", "0f0e")] {
            let other = Self.good.replacing(old, with: new, maxReplacements: 1)
            #expect(try refusal("[{\(Self.good)}, {\(other)}]") == nil)
        }
    }

    @Test("under the contract exact there are none")
    func exact() throws { #expect(try refusal("[{\(Self.good)}]", .exact)?.code == .manifest) }

    @Test("names of metrics")
    func metrics() {
        let longest = String(repeating: "z", count: EvaluationRecord.metricLimit)
        for name in ["-", "a", "0", "abcdefghijklmnopqrstuvwxyz0123456789_.-", longest] {
            #expect(EvaluationRecord.isMetric(name), "\(name)")
        }
        for name in ["", longest + "z", "`", "{", "/", ":", ",", "A", "a b", "a\0", "\u{E9}", "ａ"] {
            #expect(!EvaluationRecord.isMetric(name), "\(name)")
        }
    }
}

extension JSONValue {
    /// How many values an array has.
    fileprivate var count: Int? { if case .array(let values) = self { values.count } else { nil } }
}
