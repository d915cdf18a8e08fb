internal import Safetensors
internal import ByteSources
package import TensorTypes

/// An adapter as PEFT saves it: a directory with `adapter_config.json` and `adapter_model.safetensors`.
///
/// Its configuration and header are read when it is opened; data stay on the device.
package struct Adapter: Sendable {
    /// The name that the file of the tensors has in every adapter's directory.
    static let fileName = "adapter_model.safetensors"

    let directory: String
    let configuration: AdapterConfiguration
    let file: SafetensorsFile
    /// The adapted modules, ascending by the bytes of their targets; none in a SHiRA adapter.
    let pairs: [LowRankPair]
    /// The sparse modules of a SHiRA adapter, likewise.
    let sparse: [SparsePair]
    /// The tensors that the adapter has whole, ascending by the bytes of their targets.
    let saved: [SavedTensor]
    /// Tensors that repeat others or the base, and are not needed.
    let ignored: [String]

    /// Opens the adapter in `directory`.
    ///
    /// Throws `inputMissing` if a file is absent; `header` or `truncated` if one breaks a rule; `usage` for adapters that Silt
    /// does not read; `limit` for factors over the format's limits.
    package init(directory: String) throws(SiltError) {
        let configurationPath = DirectoryListing.join(directory, AdapterConfiguration.fileName)
        let modelPath = DirectoryListing.join(directory, Adapter.fileName)
        guard DirectoryListing.kind(of: directory) == .directory else {
            let found = DirectoryListing.kind(of: directory) == .missing ? "nothing" : "a file"
            throw SiltError(
                .inputMissing, "expected the directory of an adapter, found \(found)", file: directory,
                advice: "give the directory that has \(AdapterConfiguration.fileName)")
        }
        guard DirectoryListing.kind(of: configurationPath) != .missing else {
            throw SiltError(
                .inputMissing, "the directory has no \(AdapterConfiguration.fileName)", file: directory,
                advice: "is this the directory of a PEFT adapter?")
        }
        configuration = try AdapterConfiguration(path: configurationPath)
        guard DirectoryListing.kind(of: modelPath) != .missing else {
            let pickle = DirectoryListing.kind(of: DirectoryListing.join(directory, "adapter_model.bin")) != .missing
            throw SiltError(
                .inputMissing, "the directory has no \(Adapter.fileName)", file: directory,
                advice: pickle
                    ? "load adapter_model.bin with PEFT and save it again: current versions write safetensors" : nil)
        }
        file = try SafetensorsFile(modelPath)
        self.directory = directory
        var reader = AdapterReader(configuration, file)
        try reader.read()
        (pairs, sparse, saved, ignored) = (reader.pairs, reader.sparse, reader.saved, reader.ignored)
    }
}
