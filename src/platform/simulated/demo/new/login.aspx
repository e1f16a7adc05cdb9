<%@ Page Language="C#" AutoEventWireup="true" Inherits="pfup.login" %>
<%-- Simulated: this page belongs to a demo machine of pfupgrade. --%>
<html>
<head runat="server"><title>Multi-Factor Authentication</title></head>
<body><form runat="server"><h1>Sign in</h1></form></body>
</html>
