/**
 * tfjs-node's addon passes attributes of an operation as a string, but not as a list of strings, which the names of fused
 * operations are. `added` goes before `before` in binding/tfjs_backend.cc.
 */
export const PATCH = {
  name: 'stringlist',
  before: `      std::string str_value;
      nstatus = GetStringParam(env, js_value, str_value);
      ENSURE_NAPI_OK(env, nstatus);

      TFE_OpSetAttrString(tfe_op`,
  added: `      if (IsArray(env, nstatus, &js_value)) {
        uint32_t count;
        nstatus = napi_get_array_length(env, js_value, &count);
        ENSURE_NAPI_OK(env, nstatus);
        std::vector<std::string> strings(count);
        std::vector<const void*> starts(count);
        std::vector<size_t> lengths(count);
        for (uint32_t i = 0; i < count; ++i) {
          napi_value element;
          nstatus = napi_get_element(env, js_value, i, &element);
          ENSURE_NAPI_OK(env, nstatus);
          nstatus = GetStringParam(env, element, strings[i]);
          ENSURE_NAPI_OK(env, nstatus);
          starts[i] = strings[i].data();
          lengths[i] = strings[i].size();
        }
        TFE_OpSetAttrStringList(tfe_op, attr_name, starts.data(), lengths.data(), count);
        break;
      }
`,
};
