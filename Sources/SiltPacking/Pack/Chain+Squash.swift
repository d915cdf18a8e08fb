internal import Safetensors
internal import SiltFormat
public import SiltReading
public import TensorTypes
internal import Workers

extension Chain {
    /// Packs what the last of `files` holds as one exact delta of `base`.
    ///
    /// It gives back the chain's result bit for bit; where a link was lossy, that is the lossy result.
    ///
    /// - Throws: as `Packer` and `unpack`.
    public func squash(
        base: String, files: [String], to output: String, _ options: PackOptions = PackOptions()
    ) throws(SiltError) -> PackReport {
        try StagedPlace.check(output, replaceExisting)
        return try linked(base: base, files: files, beside: output) { (before, last) throws(SiltError) in
            let place = try StagedPlace(beside: output)
            let result = place.path("result")
            _ = try Unpacker(context).unpack(base: before, file: last, to: result)
            var options = options
            options.replaceExisting = replaceExisting
            options.name = Chain.name(of: last)
            defer { withExtendedLifetime(place) {} }
            return try Packer(context, options).pack(base: base, fineTuned: result, to: output)
        }
    }

    /// The name of a result that is one file, which its temporary cannot keep.
    private static func name(of file: String) -> String? {
        guard let manifest = try? ContainerReader(file).manifest, manifest.form == .file else { return nil }
        return manifest.files.first?.path
    }
}
