internal import SiltFormat
internal import Safetensors
internal import ByteSources
internal import TensorTypes
internal import Transformers

/// The file from which an interrupted training goes on, bit for bit as if nothing had happened: a safetensors file of parameters,
/// moments and the best parameters so far, in F32, and a record of the rest in its metadata (Docs/Training.md).
///
/// It appears whole or not at all, and is bound to the base, the data and the options.
struct TrainingState {
    /// What a training is a function of, each as a digest.
    struct Identity: Equatable {
        let base: String, train: String, validation: String, options: String

        fileprivate var members: [(key: String, value: String, what: String)] {
            [
                ("base", base, "the base"), ("train", train, "the training data"),
                ("validation", validation, "the validation data"), ("options", options, "the options"),
            ]
        }
    }

    /// The kinds of tensors: the parameters, their moments, the best parameters.
    private enum Kind: String {
        case values, first, second, best
    }

    private static let version = "1"

    let path: String
    let identity: Identity

    /// Writes the state; `best` are the parameters of the best validation, nil before the first.
    func write(
        _ record: TrainingRecord, _ parameters: [TrainedParameter], best: [FloatTensor]?
    ) throws(SiltError) {
        var tensors: [(name: String, tensor: FloatTensor)] = []
        for (index, parameter) in parameters.enumerated() {
            func add(_ kind: Kind, _ tensor: FloatTensor) { tensors.append((name(kind, parameter), tensor)) }
            add(.values, parameter.values.tensor)
            add(.first, parameter.first.tensor)
            add(.second, parameter.second.tensor)
            if let best { add(.best, best[index]) }
        }
        var metadata = ["format": "silt-training", "version": TrainingState.version]
        for member in identity.members { metadata[member.key] = member.value }
        metadata["record"] = String(decoding: record.json.serialized(), as: UTF8.self)
        let infos = tensors.compactMap { entry in
            TensorInfo(dtype: .f32, shape: entry.tensor.shape).map { (name: entry.name, info: $0) }
        }
        let output = try SafetensorsWriter(at: path, for: infos, metadata: metadata, replacing: true)
        for (name, tensor) in tensors {
            try unsafe output.write(UnsafeRawBufferPointer(start: tensor.start, count: 4 * tensor.count), to: name)
        }
        try output.commit()
    }

    /// Reads the state into the parameters; the record, and the best parameters if there are any.
    ///
    /// Throws `usage` if it is of another training, `header` if it is none.
    func read(into parameters: [TrainedParameter]) throws(SiltError) -> (TrainingRecord, best: [FloatTensor]?) {
        let checkpoint = try Checkpoint(at: path)
        guard checkpoint.form == .file else { throw malformed("this is a directory, not a training state") }
        let metadata = try checkpoint.open(checkpoint.files[0]).header.metadata ?? [:]
        guard metadata["format"] == "silt-training" else { throw malformed("this is not a training state") }
        guard metadata["version"] == TrainingState.version else {
            throw SiltError(
                .usage, "the state has version \(metadata["version"] ?? "none"); this silt reads version 1", file: path)
        }
        if let other = identity.members.first(where: { metadata[$0.key] != $0.value }) {
            throw SiltError(
                .usage, "the state belongs to another training: \(other.what) differs", file: path,
                advice:
                    "repeat the command that was interrupted, or leave out \(option: .resumes) and give \(option: .replaceExisting)"
            )
        }
        guard let text = metadata["record"], let json = try? JSONValue(parsing: Array(text.utf8)),
            let record = TrainingRecord(json)
        else { throw malformed("the record is missing or damaged") }
        var best: [FloatTensor] = []
        for parameter in parameters {
            for (kind, values) in [
                (Kind.values, parameter.values), (.first, parameter.first), (.second, parameter.second),
            ] {
                values.assign(try tensor(kind, parameter, checkpoint))
            }
            if record.best != nil { best.append(try tensor(.best, parameter, checkpoint)) }
        }
        return (record, record.best == nil ? nil : best)
    }

    private func tensor(
        _ kind: Kind, _ parameter: TrainedParameter, _ checkpoint: Checkpoint
    ) throws(SiltError) -> FloatTensor {
        let name = name(kind, parameter)
        guard let tensor = checkpoint[name], tensor.info.dtype == .f32,
            tensor.info.shape == parameter.values.tensor.shape
        else { throw malformed("the tensor is missing, or has another shape").at(tensor: name) }
        return try FloatTensor(reading: tensor)
    }

    private func name(_ kind: Kind, _ parameter: TrainedParameter) -> String { "\(kind.rawValue)/\(parameter.name)" }

    private func malformed(_ message: String) -> SiltError { SiltError(.header, message, file: path) }
}
