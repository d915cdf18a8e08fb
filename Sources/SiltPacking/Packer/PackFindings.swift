package import Logging
internal import ByteSources
internal import Safetensors
internal import TensorTypes

/// What a user may want to know of a pair: how little of it the base has, and what of it is no model.
package struct PackFindings: Sendable, Hashable {
    /// A part of what is packed.
    package struct Part: Sendable, Hashable {
        /// Tensors or files.
        package var count = 0
        package var bytes = 0
        /// Of the bytes of all tensors, or of all files; 0 to 1.
        package var share = 0.0
    }

    /// Tensors without a counterpart in the base, which are stored whole.
    package private(set) var unmatched = Part()
    /// Files of a training that can go on: optimizer, scheduler, random numbers.
    package private(set) var trainingState = Part()
    /// Tensors with elements, of all files.
    private var tensors = 0
    /// One of the files of a training.
    private var trainingFile = ""
    /// Of the tensors without a counterpart, those of an adapter.
    private var adapterBytes = 0
    /// Whether all files with tensors are an adapter's.
    private var isAdapter = false
    /// Whether those of the base are.
    private var isOverAdapter = false

    /// Nothing is known: what is packed is no pair of checkpoints.
    package init() {}

    init(_ input: PackInput) {
        var all = 0
        var isAdapter = true
        for tensor in input.tensors where tensor.info.elements > 0 {
            tensors += 1
            all += tensor.info.bytes
            let isOfAdapter = PackFindings.isOfAdapter(tensor.name, tensor.source)
            isAdapter = isAdapter && isOfAdapter
            guard tensor.base == nil, tensor.twin == nil else { continue }
            unmatched.count += 1
            unmatched.bytes += tensor.info.bytes
            if isOfAdapter { adapterBytes += tensor.info.bytes }
        }
        self.isAdapter = isAdapter && tensors > 0
        isOverAdapter =
            !input.bases.isEmpty
            && input.bases.allSatisfy { PackFindings.isOfAdapter($0.tensor.name, $0.tensor.file) }
        unmatched.share = all > 0 ? Double(unmatched.bytes) / Double(all) : 0
        for file in input.files where TrainingStateName.matches(file.path) {
            if trainingState.count == 0 { trainingFile = file.path }
            trainingState.count += 1
            trainingState.bytes += file.input.size
        }
        trainingState.share = input.bytes > 0 ? Double(trainingState.bytes) / Double(input.bytes) : 0
    }

    /// Says what there is to say: a line for each.
    package func tell(_ log: Logger) {
        if unmatched.count > 0 {
            let verb = unmatched.count == 1 ? "has" : "have"
            log.notice(
                "\(unmatched.count) of \(tensors) tensors, \(PackFindings.percent(unmatched.share)) of their bytes, \(verb) no counterpart in the base and \(unmatched.count == 1 ? "is" : "are") stored whole: \(reason) (\(option: .log) names them)"
            )
        }
        if trainingState.count > 0 {
            log.notice(
                "the state of a training, \(trainingState.count == 1 ? trainingFile : "\(trainingState.count) files like \(trainingFile)"), takes \(PackFindings.percent(trainingState.share)) of the bytes that are packed: move it elsewhere if only the model is wanted"
            )
        }
    }

    /// Why tensors may have no counterpart: the likeliest reason.
    private var reason: String {
        if adapterBytes * 2 > unmatched.bytes {
            return isAdapter
                ? "this is an adapter; give it with \(option: .adapter) to pack it as an update of the base"
                : "they are an adapter's beside the model; \(option: .adapter) packs an adapter by itself"
        }
        if unmatched.share >= 0.9 { return isOverAdapter ? "the base is an adapter" : "is this the right base?" }
        return "new layers or a new vocabulary, or names that another program changed"
    }

    /// Whether a tensor is one of PEFT's, by its file or its name.
    private static func isOfAdapter(_ name: String, _ file: SafetensorsFile) -> Bool {
        file.path.split(separator: "/").last == "adapter_model.safetensors"
            || adapterWords.contains(where: name.contains)
    }

    private static let adapterWords = [".lora_A", ".lora_B", ".lora_embedding_", ".lora_magnitude_vector", ".shira_"]

    private static func percent(_ share: Double) -> String {
        share > 0 && share < 0.001 ? "less than 0.1 %" : "\((share * 1_000).rounded() / 10) %"
    }
}

extension PackFindings.Part {
    /// The part for programs; `name` is what is counted.
    func json(_ name: String) -> JSONValue {
        .members([name: .integer(count), "bytes": .integer(bytes), "share": .number(share)])
    }
}
