public import ArgumentParser
public import Silt

extension PackOptions.CodecChoice: ExpressibleByArgument {}
extension PackOptions.Prediction: ExpressibleByArgument {}
