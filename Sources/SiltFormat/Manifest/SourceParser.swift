internal import ByteSources
internal import Safetensors
internal import TensorTypes

/// The tensors that a manifest has described so far, by file and name.
struct EarlierTensors {
    struct Place: Hashable {
        let file: ByteName
        let name: ByteName
    }

    struct Entry {
        let index: Int
        let info: TensorInfo
        let hasResultSource: Bool
        let hasDigest: Bool
    }

    private var entries: [Place: Entry] = [:]

    mutating func add(_ record: TensorRecord, in file: String) {
        let isBound = record.base?.sources.contains { if case .result = $0 { true } else { false } } ?? false
        entries[Place(file: ByteName(file), name: ByteName(record.name))] = Entry(
            index: entries.count, info: record.info, hasResultSource: isBound, hasDigest: record.digest != nil)
    }

    subscript(file: String, name: String) -> Entry? { entries[Place(file: ByteName(file), name: ByteName(name))] }
}

/// Checks what predicts a tensor: its sources and runs (Formats/Silt.md, section 4.3).
struct SourceParser {
    let entry: SafetensorsHeader.Entry
    /// Path of the tensor's file.
    let path: String
    let digest: Digest128?
    let earlier: EarlierTensors
    let place: String

    private func fault(_ code: SiltError.Code, _ message: String) -> SiltError {
        SiltError(code, "\(place)\(message)", tensor: entry.name)
    }

    /// The base of the tensor; nil if it has no sources.
    func parse(_ fields: inout Fields) throws(SiltError) -> BaseRecord? {
        guard fields.has("sources") else {
            guard !fields.has("runs") else { throw fault(.manifest, ".runs must be absent without sources") }
            return nil
        }
        let values = try fields.array("sources")
        guard !values.isEmpty else { throw fault(.manifest, ".sources must have a source") }
        guard values.count <= BaseRecord.sourceLimit else {
            throw fault(.limit, " has \(values.count) sources; at most \(BaseRecord.sourceLimit) are allowed")
        }
        var sources: [SourceRecord] = []
        for (index, value) in values.enumerated() {
            sources.append(try source(value, at: "\(place).sources[\(index)]"))
        }
        guard fields.has("runs") else {
            guard sources.count == 1 else { throw fault(.manifest, ".runs may be absent only for one source") }
            let runs = BaseRecord.plainRuns(sources[0].info.elements, entry.info.elements)
            return BaseRecord(sources: sources, runs: runs)
        }
        return BaseRecord(sources: sources, runs: try runs(try fields.array("runs"), sources))
    }

    private func runs(_ values: [JSONValue], _ sources: [SourceRecord]) throws(SiltError) -> [BaseRecord.Run] {
        guard !values.isEmpty else { throw fault(.manifest, ".runs must have a run") }
        guard values.count <= BaseRecord.runLimit else {
            throw fault(.limit, " has \(values.count) runs; at most \(BaseRecord.runLimit) are allowed")
        }
        var runs: [BaseRecord.Run] = []
        var used = Set<Int>()
        var start = 0
        for (index, value) in values.enumerated() {
            let here = ".runs[\(index)]"
            let numbers = try integers(value, at: here)
            guard numbers.count == 1 || numbers.count == 3, numbers[0] > 0, numbers.allSatisfy({ $0 >= 0 }) else {
                throw fault(.manifest, "\(here) must be [n] or [n, source, first], n at least 1; found \(numbers)")
            }
            guard numbers[0] <= entry.info.elements - start else {
                throw fault(
                    .coverage, "\(here) has \(numbers[0]) elements where \(entry.info.elements - start) are left")
            }
            let elements = start..<start + numbers[0]
            start = elements.upperBound
            guard numbers.count == 3 else { continue }
            guard numbers[1] < sources.count else {
                throw fault(.coverage, "\(here) names source \(numbers[1]) of \(sources.count)")
            }
            let has = sources[numbers[1]].info.elements
            guard numbers[2] <= has, elements.count <= has - numbers[2] else {
                throw fault(
                    .coverage,
                    "\(here) needs \(elements.count) elements from \(numbers[2]) on of a source that has \(has)")
            }
            used.insert(numbers[1])
            runs.append(BaseRecord.Run(elements, source: numbers[1], first: numbers[2]))
        }
        if let unused = sources.indices.first(where: { !used.contains($0) }) {
            throw fault(.coverage, ".sources[\(unused)] is used by no run")
        }
        if sources.count == 1, isPlain(runs, sources[0]) {
            throw fault(.manifest, ".runs say what holds without them")
        }
        return runs
    }

    /// Whether the runs together say that the source's elements stand at their own indices.
    private func isPlain(_ runs: [BaseRecord.Run], _ source: SourceRecord) -> Bool {
        var end = 0
        for run in runs {
            guard run.elements.lowerBound == end, run.first == end else { return false }
            end = run.elements.upperBound
        }
        return end == min(source.info.elements, entry.info.elements)
    }

    private func integers(_ value: JSONValue, at here: String) throws(SiltError) -> [Int] {
        guard case .array(let values) = value else {
            throw Fields.wrong("\(place)\(here)", expected: "an array of integers", found: value)
        }
        return try values.map { value throws(SiltError) in
            guard case .integer(let number) = value else {
                throw Fields.wrong("\(place)\(here)", expected: "an array of integers", found: value)
            }
            return number
        }
    }

    private func source(_ value: JSONValue, at place: String) throws(SiltError) -> SourceRecord {
        var fields = try Fields(value, at: place)
        let kind = try fields.optionalString("in") ?? "base"
        let name = try fields.optionalString("name") ?? entry.name
        let file = try fields.optionalString("file")
        if let file { try RelativePath.check(file) }
        switch kind {
        case "base":
            let source = try base(&fields, name: name, file: file, at: place)
            try fields.finish()
            return .base(source)
        case "result":
            try fields.finish()
            return .result(try result(name: name, file: file ?? path, at: place))
        default:
            throw SiltError(
                .manifest, "\(place).in must be one of base, result, found \"\(kind)\"", tensor: entry.name)
        }
    }

    private func result(name: String, file: String, at place: String) throws(SiltError) -> ResultSource {
        func refuse(_ message: String) -> SiltError {
            SiltError(.manifest, "\(place) \(message)", tensor: entry.name)
        }
        guard let found = earlier[file, name] else {
            throw refuse("is no tensor of the result that comes before this one: \(name) in \(file)")
        }
        guard found.info.dtype == entry.info.dtype else {
            throw refuse("has dtype \(found.info.dtype.rawValue), the tensor \(entry.info.dtype.rawValue)")
        }
        guard !found.hasResultSource else { throw refuse("has a source in the result itself") }
        return ResultSource(
            index: found.index, name: name, file: file, info: found.info, hasDigest: found.hasDigest)
    }

    private func base(
        _ fields: inout Fields, name: String, file: String?, at place: String
    ) throws(SiltError) -> BaseTensorRecord {
        var dtype = entry.info.dtype
        if let text = try fields.optionalString("dtype") {
            guard let known = DType(rawValue: text) else {
                throw SiltError(.manifest, "\(place).dtype is the unknown \"\(text)\"", tensor: entry.name)
            }
            dtype = known
        }
        var shape = entry.info.shape
        if fields.has("shape") {
            shape = try fields.extents("shape")
        }
        guard let info = TensorInfo(dtype: dtype, shape: shape) else {
            throw SiltError(.manifest, "\(place).shape \(shape) is no shape of \(dtype.rawValue)", tensor: entry.name)
        }
        guard dtype.converts(to: entry.info.dtype) else {
            throw SiltError(
                .manifest, "\(place).dtype \(dtype.rawValue) does not predict \(entry.info.dtype.rawValue)",
                tensor: entry.name)
        }
        guard let digest = fields.has("digest") ? try fields.digest("digest") : digest else {
            throw SiltError(.manifest, "\(place) needs a digest where the tensor has none", tensor: entry.name)
        }
        return BaseTensorRecord(name: name, file: file, info: info, digest: digest)
    }
}
