internal import Safetensors
internal import SiltFormat
package import SiltReading
package import TensorTypes
internal import Workers

extension Chain {
    /// Packs what the last of `files` holds as one exact delta of `base`.
    ///
    /// The result is packed as it is rebuilt: it is written nowhere. The file gives back the chain's result bit for bit; where a link was lossy, that is the lossy result.
    ///
    /// - Throws: as `Packer` and `unpack`.
    package func squash(
        base: String, files: [String], to output: String, _ options: PackOptions = PackOptions()
    ) throws(SiltError) -> PackReport {
        let base = try Checkpoint.asBase(base)
        try StagedPlace.check(output, replaceExisting)
        let link = try Chain.last(base: base, files: files, output: output)
        var options = options
        options.replaceExisting = replaceExisting
        return try Packer(context, options).pack(
            PackPair(base: base, fineTuned: link.file.over(link.base).checkpoint()), to: output)
    }
}
